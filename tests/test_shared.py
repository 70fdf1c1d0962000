"""One ticket, several people in several messengers: who is added, who speaks, and what is merged."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from core.kernel.ids import TicketId
from core.tickets import store as tickets
from core.tickets.model import Said, Status
from tests.test_linked import said_to, slash
from tests.test_together import Desk, opened


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as found:
        yield found


async def said_in(desk: Desk, number: int) -> list[Said]:
    return await desk.database.read(lambda tx: tickets.messages_of(tx, TicketId(number)))


async def submit(desk: Desk, values: Mapping[str, str]) -> None:
    """Anna sends in the form that is open."""
    sending = asyncio.create_task(desk.anna.submit(values))
    while not sending.done():
        await desk.work()
        await asyncio.sleep(0.002)
    assert (await sending).errors == {}
    await desk.settle()


async def shared(desk: Desk) -> None:
    """Ivan reports in Telegram, and Anna adds Olga, who is in Slack."""
    await desk.report()
    await slash(desk, desk.olga, "/desk help")
    await slash(desk, desk.anna, "/desk add 1 <@U0505>")


async def test_a_colleague_in_slack_and_a_requester_in_telegram_are_on_one_ticket(desk: Desk) -> None:
    await shared(desk)
    added = desk.olga.dm.saying("Anna Smirnova added you to #1")
    assert "Olga" in desk.ivan.chat.last.text
    await desk.olga.send("I have it too", channel=desk.olga.dm, thread=added)
    await desk.settle()
    assert "I have it too" in desk.ivan.chat.last.text
    assert any("I have it too" in each.text for each in desk.group.messages)
    await desk.ivan.send("So it is the router")
    await desk.settle()
    assert any("So it is the router" in each.shown for each in added.replies)
    await desk.boris.send("/reply 1 Which version?", chat=desk.group)
    await desk.settle()
    assert "Which version?" in desk.ivan.chat.last.text
    assert any("Which version?" in each.shown for each in added.replies)


async def test_after_a_merge_answers_stay_in_the_thread_of_the_request(desk: Desk) -> None:
    await desk.report()
    root = await desk.olga.send("VPN drops here too")
    await desk.settle()
    for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
        asked = next(each for each in reversed(desk.olga.dm.messages) if label in each.buttons)
        await (await desk.olga.press(asked, label)).done()
        await desk.settle()
    await slash(desk, desk.anna, "/desk merge 2 into 1")
    await desk.boris.send("/reply 1 One answer for both", chat=desk.group)
    await desk.settle()
    assert any("One answer for both" in each.shown for each in root.replies)


async def test_what_one_of_them_deletes_stands_before_the_other_no_more(desk: Desk) -> None:
    await shared(desk)
    added = desk.olga.dm.saying("Anna Smirnova added you to #1")
    said = await desk.olga.send("my password is hunter2", channel=desk.olga.dm, thread=added)
    await desk.settle()
    copy = next(each for each in desk.ivan.chat.messages if "hunter2" in each.text)
    staffs = [each for each in desk.group.messages if "hunter2" in each.text]
    await desk.olga.delete(said)
    await desk.settle()
    assert copy.deleted
    assert [each for each in desk.group.messages if "hunter2" in each.text] == staffs
    assert "Olga deleted a message" in desk.group.messages[-1].text


async def test_a_note_of_either_messenger_reaches_neither_of_them(desk: Desk) -> None:
    await shared(desk)
    card, copy = desk.channel.saying("VPN drops"), desk.group.saying("VPN drops")
    await desk.anna.send("he always forgets", thread=card)
    await desk.boris.send("she never remembers", chat=desk.group, thread=copy.thread)
    await desk.settle()
    for secret in ("always forgets", "never remembers"):
        assert not any(secret in each.text for each in desk.ivan.chat.history)
        assert secret not in said_to(desk, desk.olga)


async def test_somebody_mentioned_in_a_note_in_slack_is_offered(desk: Desk) -> None:
    await desk.report()
    await slash(desk, desk.olga, "/desk help")
    card = desk.channel.saying("VPN drops")
    await desk.anna.send("@Olga knows this one", thread=card)
    await desk.settle()
    [offer] = [each for each in desk.channel.private_to(desk.anna) if "not part of #1" in each.shown]
    await (await desk.anna.press(offer, "Add Olga")).done()
    await desk.settle()
    assert "Anna Smirnova added you to #1" in said_to(desk, desk.olga)


async def test_a_requester_in_telegram_adds_whom_they_mention_there(desk: Desk) -> None:
    petr = desk.telegram.user(507, "Petr", language_code="en", started=True)
    await petr.send("/help")
    await desk.settle()
    await desk.report()
    mention = {"type": "text_mention", "offset": 7, "length": 4, "user": {"id": 507}}
    await desk.ivan.send("/add 1 Petr", entities=[mention])
    await desk.settle()
    assert "Ivan added you to #1" in petr.chat.last.text
    await petr.send("me too")
    await desk.settle()
    assert any("me too" in each.text for each in desk.ivan.chat.history)


async def test_an_agent_in_slack_reports_for_somebody_in_telegram(desk: Desk) -> None:
    await desk.ivan.send("/help")
    await desk.settle()
    await desk.anna.command("/desk new for @Ivan The printer is on fire")
    await desk.settle()
    assert "For Ivan (Telegram)" in str(desk.anna.modals[-1].blocks)
    await submit(desk, {})
    asked = {"Which device is it?": "Printer", "How badly does it get in the way?": "It slows me down"}
    await submit(desk, asked)
    told = desk.ivan.chat.last.text
    assert "Anna Smirnova reported this for you" in told
    assert "The printer is on fire" in told
    await desk.ivan.send("It is out by now")
    await desk.settle()
    assert "It is out by now" in said_to(desk, desk.anna)
    [first, *_] = await said_in(desk, 1)
    assert first.via == "slack"


async def test_two_that_are_the_same_are_merged_across_messengers(desk: Desk) -> None:
    await desk.report()
    petr = desk.telegram.user(507, "Petr", language_code="en", started=True)
    await petr.send("/new VPN is dead")
    await desk.settle()
    for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
        message = next(each for each in reversed(petr.chat.messages) if label in each.buttons)
        await petr.press(message, label)
        await desk.settle()
    card, copy = desk.channel.saying("VPN is dead"), desk.group.saying("VPN is dead")
    await slash(desk, desk.anna, "/desk merge 2 into 1")
    assert "goes on as #1" in petr.chat.last.text
    assert "Merged: it goes on as #1" in card.shown
    assert "Merged: it goes on as #1" in copy.text
    await petr.send("it is back")
    await desk.settle()
    assert "it is back" in [each.text for each in await said_in(desk, 1)]
    assert any("it is back" in each.text for each in desk.ivan.chat.history)
    await (await desk.anna.press(card, "Undo the merge")).done()
    await desk.settle()
    assert "request of its own again" in petr.chat.last.text
    assert (await desk.database.read(lambda tx: tickets.get(tx, TicketId(2)))).status is Status.NEW


async def test_a_message_is_split_with_its_menu_in_slack_and_by_an_answer_in_telegram(desk: Desk) -> None:
    await desk.report()
    for words in ("The printer smokes", "The mouse squeaks"):
        await desk.ivan.send(words)
        await desk.settle()
    card = desk.channel.saying("VPN drops")
    said = next(each for each in card.replies if "The printer smokes" in each.shown)
    await slash(desk, desk.anna, "/desk split")
    assert "under ⋯, choose “Split off”" in said_to(desk, desk.anna)
    await (await desk.anna.press(said, "", "Split off")).done()
    await desk.settle()
    copy = next(each for each in desk.group.messages if "The mouse squeaks" in each.text)
    assert copy.buttons == []
    await desk.boris.send("/split", chat=desk.group, reply_to=copy)
    await desk.settle()
    assert [each.text for each in await said_in(desk, 2)] == ["The printer smokes"]
    assert [each.text for each in await said_in(desk, 3)] == ["The mouse squeaks"]
