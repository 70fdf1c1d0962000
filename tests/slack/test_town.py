"""Among others: a ticket is made of what stands in a channel, says where that is, and is made once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.tickets.model import Status
from tests.emulators.slack import Channel, Message
from tests.slack import rig as rigs
from tests.slack.rig import IVAN, TEAM, Rig

PROJECTOR = "the projector is dead"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


def address(desk: Rig, message: Message) -> str:
    """Where people find a message."""
    thread = f"?thread_ts={message.thread_ts}&cid={message.channel.id}" if message.is_reply else ""
    return f"{desk.slack.home}/archives/{message.channel.id}/p{message.ts.replace('.', '')}{thread}"


def links(message: Message) -> set[str]:
    """Where its blocks and its notification lead."""
    return {link.url for link in message.seen.links}


def away(desk: Rig) -> Channel:
    """A channel that the app was not invited to."""
    channel = desk.slack.channel("lunch", members=[desk.ivan, desk.anna, desk.boris])
    channel.members.pop(desk.slack.bot.id)
    return channel


# ---- where it was said


@pytest.mark.parametrize("way", ["shortcut", "reaction", "mention"])
async def test_the_card_leads_back_to_the_message_it_was_made_of(desk: Rig, way: str) -> None:
    words = f"@Desk {PROJECTOR}" if way == "mention" else PROJECTOR
    message = await desk.say(desk.ivan, words, channel=desk.town)
    if way == "shortcut":
        await desk.shortcut(desk.anna, "ticket", message)
    elif way == "reaction":
        await desk.react(desk.anna, message, "ticket")
    assert "#town" in desk.card(1).shown
    assert links(desk.card(1)) == {address(desk, message)}
    await desk.press(desk.anna, "Take it", desk.card(1))
    assert links(desk.card(1)) == {address(desk, message)}


async def test_the_link_to_a_reply_leads_into_its_thread(desk: Rig) -> None:
    root = await desk.say(desk.anna, "who knows about the projector?", channel=desk.town)
    message = await desk.say(desk.ivan, PROJECTOR, channel=desk.town, thread=root)
    await desk.react(desk.anna, message, "ticket")
    assert links(desk.card(1)) == {address(desk, message)}
    assert "#1" in root.replies[-1].shown


async def test_the_card_of_what_was_said_in_private_leads_nowhere(desk: Rig) -> None:
    await desk.report()
    assert links(desk.card(1)) == set()


# ---- named below what somebody said


async def test_naming_the_desk_in_a_thread_quotes_what_the_thread_is_about(desk: Rig) -> None:
    root = await desk.say(desk.ivan, PROJECTOR, channel=desk.town)
    await desk.say(desk.boris, "@Desk can you look at this?", channel=desk.town, thread=root)
    card = desk.card(1)
    assert "#1 can you look at this?" in card.shown
    assert f"Ivan Petrov: {PROJECTOR}" in card.shown
    assert "Boris" in card.shown
    assert root.replies[-1].by_bot


async def test_merely_naming_the_desk_below_a_message_makes_it_a_ticket_of_its_author(desk: Rig) -> None:
    root = await desk.say(desk.ivan, PROJECTOR, channel=desk.town)
    await desk.say(desk.boris, "@Desk", channel=desk.town, thread=root)
    ticket = await desk.ticket(1)
    assert (ticket.title, ticket.home) == (PROJECTOR, f"slack:{TEAM}/{IVAN}")
    assert links(desk.card(1)) == {address(desk, root)}
    assert "#1" in root.replies[-1].shown


async def test_naming_the_desk_below_ones_own_ticket_goes_on_with_it(desk: Rig) -> None:
    root = await desk.say(desk.ivan, f"@Desk {PROJECTOR}", channel=desk.town)
    await desk.say(desk.ivan, "@Desk and now it smokes", channel=desk.town, thread=root)
    assert "and now it smokes" in desk.told(1)
    assert "#1" in desk.town.private_to(desk.ivan)[-1].shown


async def test_merely_naming_the_desk_says_what_it_is_for(desk: Rig) -> None:
    await desk.say(desk.ivan, "@Desk", channel=desk.town)
    assert desk.word("start.hello") in desk.town.private_to(desk.ivan)[-1].shown
    assert desk.town.from_bot == []


# ---- in the agents' channel


@pytest.mark.parametrize("words", ["@Desk", "@Desk what about the printer?"])
async def test_naming_the_desk_in_the_agents_channel_tells_what_can_be_done_there(
    desk: Rig, words: str
) -> None:
    await desk.say(desk.anna, words, channel=desk.triage)
    [told] = desk.triage.private_to(desk.anna)
    assert "/desk new" in told.shown
    assert "/desk help" in told.shown
    assert desk.triage.from_bot == []
    await desk.say(desk.anna, "good morning everybody", channel=desk.triage)
    assert len(desk.triage.private_to(desk.anna)) == 1


# ---- once


async def test_two_people_make_one_ticket_of_a_message_where_the_app_is_not(desk: Rig) -> None:
    lunch = away(desk)
    words = lunch.add(desk.ivan, text="my screen is black")
    for user in (desk.anna, desk.boris, desk.anna):
        await desk.shortcut(user, "ticket", words)
    assert "my screen is black" in desk.card(1).shown
    assert not [each for each in desk.triage.from_bot if "#2" in each.shown]
    for user in (desk.anna, desk.boris):
        told = [*lunch.private_to(user), *user.dm.private_to(user)]
        assert [each.shown for each in told] == [desk.word("crowd.already", ticket=1)]


async def test_a_ticket_of_a_message_where_the_app_is_not_leads_back_to_it(desk: Rig) -> None:
    words = away(desk).add(desk.ivan, text="my screen is black")
    await desk.shortcut(desk.anna, "ticket", words)
    assert links(desk.card(1)) == {address(desk, words)}
    assert [call.error for call in desk.slack.called("chat.postMessage") if call.error] == []


# ---- deleted


@pytest.mark.parametrize("answered", [False, True])
async def test_that_somebody_deleted_what_they_had_said_stands_in_the_ticket(
    desk: Rig, answered: bool
) -> None:
    root = await desk.report()
    said = root if answered else await desk.say(desk.ivan, "it is version 5.1", thread=root)
    before = desk.told(1)
    await desk.ivan.delete(said)
    await desk.settle()
    added = desk.told(1).removeprefix(before)
    assert "Ivan Petrov" in added
    assert "deleted a message" in added
    assert said.text not in added
    assert said.text in desk.card(1).shown + before
    assert (await desk.ticket(1)).status is Status.NEW


async def test_what_the_desk_or_a_colleague_takes_back_elsewhere_is_no_event_of_a_ticket(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, desk.word("button.reply"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.text"): "the wrong words"})
    await desk.press(desk.anna, desk.word("button.undo"), desk.triage.saying("the wrong words"))
    chat = await desk.say(desk.ivan, "nobody's business", channel=desk.town)
    before = desk.told(1)
    await desk.ivan.delete(chat)
    await desk.settle()
    assert desk.told(1) == before
