"""A ticket goes on in another messenger, and people are reached where they want to be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import i18n
from bot.adapters.webchat import store as webchat
from bot.message import Words
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import Address, Identity, TicketId
from core.people import store as people
from core.people.model import Actor, Person
from core.tickets import actions, homes
from core.tickets import store as tickets
from core.tickets.model import Ticket
from tests.emulators.slack.messages import Message as SlackMessage
from tests.test_together import Desk, opened

IVAN, IN_SLACK = "telegram:501", "slack:T0ACME/U0505"
ANNA, BORIS = "slack:T0ACME/U0502", "telegram:503"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as found:
        yield found


async def whose(tx: Transaction, account: str) -> Person:
    person = await people.by_identity(tx, Identity.parse(account))
    assert person is not None
    return person


async def join(desk: Desk, known: str, *accounts: str) -> None:
    """These accounts belong to the person of the known one as well."""

    async def attach(tx: Transaction) -> None:
        person = await whose(tx, known)
        for account in accounts:
            await people.attach(tx, Identity.parse(account), person.id)

    await desk.database.write(attach)


async def ticket(desk: Desk) -> Ticket:
    return await desk.database.read(lambda tx: tickets.get(tx, TicketId(1)))


async def kinds(desk: Desk) -> list[str]:
    events = await desk.database.read(lambda tx: tickets.timeline(tx, TicketId(1)))
    return [event.kind for event in events]


async def write(desk: Desk, text: str, thread: SlackMessage | None = None) -> None:
    """Ivan writes in Slack, where he is called Olga."""
    await desk.olga.send(text, thread=thread)
    await desk.settle()


async def answer(desk: Desk, text: str) -> None:
    """Boris answers in his group."""
    await desk.boris.send(f"/reply {text}", chat=desk.group, thread=desk.group.saying("VPN drops").thread)
    await desk.settle()


async def moved(desk: Desk) -> None:
    """Ivan has reported in Telegram, and goes on in Slack."""
    await desk.report()
    await join(desk, IVAN, IN_SLACK, "web:ivan")
    await answer(desk, "Which version?")
    await desk.ivan.send("/status 1")
    await desk.settle()
    await desk.press("Continue in: Slack")


async def test_a_requester_continues_in_another_messenger(desk: Desk) -> None:
    await moved(desk)
    assert "Continue in: web chat" in [label for each in desk.ivan.chat.messages for label in each.buttons]
    assert "goes on elsewhere: Slack" in desk.ivan.chat.last.text
    root = desk.olga.dm.saying("goes on here")
    assert (await ticket(desk)).home == IN_SLACK
    card = desk.channel.saying("VPN drops")
    assert "Slack" in card.shown
    assert any("moved the conversation: Slack" in each.shown for each in card.replies)

    before = len(desk.ivan.chat.messages)
    await answer(desk, "Try 5.2")
    assert any("Try 5.2" in each.shown for each in root.replies)
    assert len(desk.ivan.chat.messages) == before

    await write(desk, "5.2 works", root)
    assert any("5.2 works" in each.shown for each in card.replies)
    assert any("5.2 works" in each.text for each in desk.group.messages)
    assert "rehomed" in await kinds(desk)


async def test_a_ticket_goes_on_on_the_page_and_back_in_telegram(desk: Desk) -> None:
    await desk.report()
    await join(desk, IVAN, "web:ivan")
    await desk.ivan.send("/status 1")
    await desk.settle()
    await desk.press("Continue in: web chat")
    await answer(desk, "Try 5.2")

    async def shown(tx: Transaction) -> list[str]:
        entries = await webchat.recent(tx, Identity.parse("web:ivan"), ["u-ivan"], 100)
        return [str(entry.message) for entry in entries]

    said = await desk.database.read(shown)
    assert any("told.rehomed" in each for each in said)
    assert any("Try 5.2" in each for each in said)
    assert not any("Try 5.2" in each.text for each in desk.ivan.chat.messages)
    await desk.ivan.send("/status 1")
    await desk.settle()
    await desk.press("Continue in: Telegram")
    await answer(desk, "Still there?")
    assert "Still there?" in desk.ivan.chat.last.text


async def test_what_was_said_before_is_changed_and_taken_back_where_it_stands(desk: Desk) -> None:
    await desk.report()
    await join(desk, IVAN, IN_SLACK)
    await answer(desk, "Which version?")
    assert "Which version?" in desk.ivan.chat.last.text
    await desk.ivan.send("/my")
    await desk.settle()
    await desk.press("#1 → Slack")
    undo = next(each for each in reversed(desk.group.messages) if "Undo" in each.buttons)
    await desk.boris.press(undo, "Undo")
    await desk.settle()
    assert not any("Which version?" in each.text for each in desk.ivan.chat.messages)
    assert not any("Which version?" in text for text in desk.olga.dm.texts)


async def test_an_edit_changes_the_copy_in_the_former_home_and_makes_none_in_the_new_one(desk: Desk) -> None:
    await desk.report()
    await join(desk, IVAN, IN_SLACK)
    await desk.anna.press(desk.channel.saying("VPN drops"), "Reply")
    await desk.settle()
    await desk.fill(desk.anna, "The requester reads this", "Try 5.2")
    await desk.ivan.send("/status 1")
    await desk.settle()
    await desk.press("Continue in: Slack")

    async def edit(tx: Transaction) -> None:
        anna = Actor(await whose(tx, ANNA), "slack")
        [reply] = [each for each in await tickets.messages_of(tx, TicketId(1)) if each.kind == "reply"]
        await actions.edit_message(tx, anna, TicketId(1), reply.id, "Try 5.3")

    await desk.database.write(edit)
    await desk.settle()
    assert any("Try 5.3" in each.text for each in desk.ivan.chat.messages)
    assert not any("Try 5.2" in each.text for each in desk.ivan.chat.messages)
    assert not any("Try" in text for text in desk.olga.dm.texts)


async def test_a_ticket_that_comes_back_goes_on_in_the_thread_it_had(desk: Desk) -> None:
    await moved(desk)
    root = desk.olga.dm.saying("goes on here")
    await desk.ivan.send("/status 1")
    await desk.settle()
    assert "Continue in: Telegram" in desk.ivan.chat.last.buttons
    await desk.press("Continue in: Telegram")
    assert "goes on here" in desk.ivan.chat.last.text
    assert any("goes on elsewhere: Telegram" in each.shown for each in root.replies)
    await answer(desk, "Hello again")
    assert "Hello again" in desk.ivan.chat.last.text
    await desk.ivan.send("/status 1")
    await desk.settle()
    await desk.press("Continue in: Slack")
    await answer(desk, "Hello in Slack")
    assert any("Hello in Slack" in each.shown for each in root.replies)


async def test_what_was_still_on_its_way_arrives_in_the_new_place_alone(desk: Desk) -> None:
    await desk.report()
    await join(desk, IVAN, IN_SLACK)

    async def leave(tx: Transaction) -> None:
        ivan, boris = await whose(tx, IVAN), await whose(tx, BORIS)
        await actions.reply(tx, Actor(boris, "telegram"), TicketId(1), "Which version?")
        await homes.rehome(tx, Actor(ivan, "slack"), TicketId(1), Address.parse(IN_SLACK))

    await desk.database.write(leave)
    await desk.settle()
    assert len([text for text in desk.olga.dm.texts if "Which version?" in text]) == 1
    assert not any("Which version?" in each.text for each in desk.ivan.chat.messages)


async def test_who_moves_on_gets_there_what_could_not_be_delivered_before(desk: Desk) -> None:
    await shut_out(desk)
    await desk.ivan.unblock_bot()
    await desk.olga.command("/desk status 1")
    await desk.settle()
    offered = [*desk.olga.dm.messages, *desk.olga.dm.private_to(desk.olga)]
    there = next(each for each in offered if "Continue in: Slack" in each.buttons)
    await desk.olga.press(there, "Continue in: Slack")
    await desk.settle()
    assert len([text for text in desk.olga.dm.texts if "Which version?" in text]) == 1
    line = next(
        each for each in desk.channel.saying("VPN drops").replies if "Could not be delivered" in each.shown
    )
    assert not line.buttons


async def test_a_button_to_where_it_goes_on_already_says_so(desk: Desk) -> None:
    await moved(desk)
    offered = next(each for each in reversed(desk.ivan.chat.messages) if "Continue in: Slack" in each.buttons)
    await desk.ivan.press(offered, "Continue in: Slack")
    await desk.settle()
    said = [press.text for press in desk.telegram.answers if press.text]
    assert any("goes on there already" in text for text in [*said, desk.ivan.chat.last.text])
    assert (await kinds(desk)).count("rehomed") == 1


# ---- when nothing gets through


async def shut_out(desk: Desk) -> None:
    """Ivan has blocked the bot, and an answer cannot reach him in Telegram."""
    await desk.report()
    await join(desk, IVAN, IN_SLACK)
    await desk.ivan.block_bot()
    await desk.settle()
    await answer(desk, "Which version?")


async def test_whoever_works_on_it_sees_at_once_and_sends_it_through_another_messenger(desk: Desk) -> None:
    await shut_out(desk)
    card = desk.channel.saying("VPN drops")
    line = next(each for each in card.replies if "Could not be delivered" in each.shown)
    copy = next(each for each in desk.group.messages if "Could not be delivered" in each.text)
    assert line.buttons == ["Send through Slack"]
    assert copy.buttons == ["Send through Slack"]

    label = "Send through Slack"
    await asyncio.gather(desk.anna.press(line, label), desk.boris.press(copy, label))
    await desk.settle()
    assert len([text for text in desk.olga.dm.texts if "Which version?" in text]) == 1
    assert (await kinds(desk)).count("rehomed") == 1
    assert (await ticket(desk)).home == IN_SLACK
    assert not line.buttons
    assert not copy.buttons

    await desk.ivan.unblock_bot()
    await desk.ivan.send("/start")
    await desk.settle()
    assert not any("Which version?" in each.text for each in desk.ivan.chat.messages)


async def test_words_in_the_new_messenger_belong_to_the_ticket(desk: Desk) -> None:
    await shut_out(desk)
    card = desk.channel.saying("VPN drops")
    line = next(each for each in card.replies if "Could not be delivered" in each.shown)
    await desk.anna.press(line, "Send through Slack")
    await desk.settle()
    await write(desk, "5.1", desk.olga.dm.saying("goes on here"))
    assert any("5.1" in each.shown for each in card.replies)


async def test_without_another_messenger_there_is_nothing_to_press(desk: Desk) -> None:
    await desk.report()
    await desk.ivan.block_bot()
    await desk.settle()
    await answer(desk, "Which version?")
    line = next(
        each for each in desk.channel.saying("VPN drops").replies if "Could not be delivered" in each.shown
    )
    assert not line.buttons


async def test_a_reply_that_was_taken_back_cannot_be_sent_on(desk: Desk) -> None:
    await shut_out(desk)
    undo = next(each for each in reversed(desk.group.messages) if "Undo" in each.buttons)
    await desk.boris.press(undo, "Undo")
    await desk.settle()
    line = next(
        each for each in desk.channel.saying("VPN drops").replies if "Could not be delivered" in each.shown
    )
    assert not line.buttons
    assert not any("Which version?" in text for text in desk.olga.dm.texts)


async def test_who_writes_where_the_ticket_is_no_more_is_told_where_answers_come(desk: Desk) -> None:
    await moved(desk)
    await desk.ivan.send("still here")
    await desk.settle()
    assert "Answers to #1 come to you in Slack." in desk.ivan.chat.last.text
    before = len(desk.ivan.chat.messages)
    await desk.ivan.send("and again")
    await desk.settle()
    assert len(desk.ivan.chat.messages) == before + 1
    await desk.press("Continue here")
    await answer(desk, "Try it now")
    assert "Try it now" in desk.ivan.chat.last.text


# ---- where the team is reached


async def ask_boris(desk: Desk) -> None:
    """Anna passes the ticket to Boris, who is told so in private."""

    async def hand_over(tx: Transaction) -> None:
        anna, boris = await whose(tx, ANNA), await whose(tx, BORIS)
        await actions.pass_to(tx, Actor(anna, "slack"), TicketId(1), boris.id, "please")

    await desk.database.write(hand_over)
    await desk.settle()


async def wish(desk: Desk, words: str) -> None:
    await desk.boris.send(words)
    await desk.settle()
    clock = desk.house.clock
    assert isinstance(clock, HandClock)
    clock.advance(timedelta(minutes=11))


async def test_rules_choose_the_messenger_by_the_hour(desk: Desk) -> None:
    await desk.report()
    await join(desk, BORIS, IN_SLACK)
    await wish(desk, "/reach slack 9-18 mon-fri, otherwise telegram")
    await ask_boris(desk)
    assert any("passed #1" in text for text in desk.olga.dm.texts)
    assert not any("passed #1" in each.text for each in desk.boris.chat.messages)


async def test_whoever_wrote_a_moment_ago_is_reached_there(desk: Desk) -> None:
    await desk.report()
    await join(desk, BORIS, IN_SLACK)
    await wish(desk, "/reach slack")
    await desk.boris.send("/mine")
    await desk.settle()
    await ask_boris(desk)
    assert "passed #1" in desk.boris.chat.last.text


async def test_where_one_account_is_shut_the_next_is_tried(desk: Desk) -> None:
    await desk.report()
    await join(desk, BORIS, IN_SLACK)
    await wish(desk, "/reach telegram")
    await desk.boris.block_bot()
    await desk.settle()
    await ask_boris(desk)
    assert any("passed #1" in text for text in desk.olga.dm.texts)


def test_the_words_used_here_are_the_desks() -> None:
    now = HandClock().now()
    said = {
        "button.undo": "Undo",
        "button.reply": "Reply",
        "form.text": "The requester reads this",
    }
    assert {key: i18n.word(Words(key), "en", time_zone="UTC", now=now) for key in said} == said
