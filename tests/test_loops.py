"""Programs that talk to the desk, and two desks that face each other: a few words, then silence."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import config, main
from bot.flows.automatic import EDITS, OFTEN, SPAN
from bot.pace import Pace
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.clock import HandClock
from core.kernel.events import Event
from core.kernel.ids import Identity, TicketId
from core.outbox import store as outbox
from core.people import store as people
from core.people.model import DESK as DESK_ITSELF
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import merging, queries, store
from core.tickets.model import Status, Ticket
from tests import databases
from tests.emulators.slack import Channel, Slack
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import Telegram
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.people import User as TelegramUser

GROUP, TEAM = -1001234567890, "T0ACME"
ROUNDS = 12
DESK = """
[desk]
time_zone = "UTC"
language = "en"
[[people]]
name = "Anna Smirnova"
identities = ["web:anna"]
roles = ["agent"]
[[queues]]
name = "support"
spaces = ["web:support"]
"""
TELEGRAM = """
[telegram]
token = "{0.token}"
api_url = "{0.url}"
"""
SLACK = """
[slack]
bot_token = "{0.bot_token}"
app_token = "{0.app_token}"
api_url = "{0.api_url}"
"""


@dataclass
class Desk:
    """A desk of ours at its messenger, and the room there that belongs to nobody's team."""

    world: Telegram | Slack
    room: Group | Channel
    database: Database
    house: main.House
    tempo: list[float]
    clock: HandClock
    mirrored: int = 0

    async def settle(self) -> None:
        for _ in range(2000):
            told = self._told()
            self.tempo[0] += 60.0
            waiting = await self.database.write(self._waiting)
            await self.house.router.catch_up()
            await self.house.delivery.catch_up()
            if not waiting and not told:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the desk does not come to rest")

    def _told(self) -> bool:
        """Whether the messenger has something to tell the desk."""
        if isinstance(self.world, Telegram):
            return bool(self.world.updates.pending)
        return bool(self.world.deliveries.waiting)

    async def _waiting(self, tx: Transaction) -> bool:
        return bool(await inbox.lanes(tx, 1) or await outbox.heads(tx, (), 1))

    @property
    def spoken(self) -> list[str]:
        """What the desk has said in the room."""
        return [each.shown if isinstance(self.room, Channel) else each.text for each in self.messages()]

    def messages(self) -> list[Any]:
        if isinstance(self.room, Group):
            return [each for each in self.room.messages if each.sender is self.world.bot]
        return [each for each in self.room.messages if each.user is self.world.bot]

    def fresh(self) -> list[str]:
        """What it has said since it was last asked."""
        said, self.mirrored = self.spoken[self.mirrored :], len(self.spoken)
        return said

    async def tickets(self) -> list[Ticket]:
        async def look(tx: Transaction) -> list[Ticket]:
            return [await store.get(tx, number) for number in await queries.all_ids(tx)]

        return await self.database.read(look)

    async def timeline(self, number: int) -> list[Event]:
        return await self.database.read(lambda tx: store.timeline(tx, TicketId(number)))

    async def kinds(self) -> list[str]:
        """Everything that happened to any ticket."""
        return [event.kind for each in await self.tickets() for event in await self.timeline(each.id)]

    async def words(self, number: int) -> list[str]:
        said = await self.database.read(lambda tx: store.messages_of(tx, TicketId(number)))
        return [each.text for each in said]


@contextlib.asynccontextmanager
async def _open(
    folder: Path, world: Telegram | Slack, room: Group | Channel, clock: HandClock
) -> AsyncIterator[Desk]:
    folder.mkdir(parents=True)
    path, tempo = folder / "desk.db", [0.0]
    section = (TELEGRAM if isinstance(world, Telegram) else SLACK).format(world)
    file = folder / "config.toml"
    await asyncio.to_thread(file.write_text, section + DESK, encoding="utf-8")
    settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
    lock = databases.prepared(path)
    database = Database(databases.place(path), clock)
    house = main.build(settings, database, clock, pace=Pace(lambda: tempo[0]))
    await house.desk.open()
    hearing = [asyncio.create_task(each.run(house.router)) for each in house.adapters.values()]
    if isinstance(world, Slack):
        await world.connected(1)
    await world.until(lambda: all(part.ok for part in house.health().values()), 10, "it is heard")
    try:
        yield Desk(world, room, database, house, tempo, clock)
    finally:
        for task in hearing:
            task.cancel()
        await asyncio.gather(*hearing, return_exceptions=True)
        await database.close()
        lock.release()


class App(SlackUser):
    """Another app of the workspace."""

    def json(self, *, locale: bool = False) -> dict[str, Any]:
        return super().json(locale=locale) | {"is_bot": True}


@contextlib.asynccontextmanager
async def at_telegram(folder: Path, clock: HandClock) -> AsyncIterator[Desk]:
    async with Telegram(privacy=False) as world:
        ivan = world.user(501, "Ivan", language_code="en", started=True)
        other = world.user(777, "Other desk", username="other_desk_bot", is_bot=True)
        group = world.group(GROUP, "Town", members=[ivan, other])
        async with _open(folder, world, group, clock) as desk:
            yield desk


@contextlib.asynccontextmanager
async def at_slack(folder: Path, clock: HandClock) -> AsyncIterator[Desk]:
    async with Slack(team=TEAM, clock=clock, time_scale=0.01, patience=3) as world:
        ivan, other = world.user("Ivan", id="U0501"), App(world, "U0777", "Other desk")
        world.users[other.id] = other
        channel = world.channel("town", members=[ivan, other])
        async with _open(folder, world, channel, clock) as desk:
            yield desk


MESSENGERS = {"telegram": at_telegram, "slack": at_slack}


@dataclass
class Speaker:
    """Somebody who speaks to the desk in its room: by name, or in reply to what it said last."""

    desk: Desk
    user: TelegramUser | SlackUser

    async def say(self, text: str, *, reply: bool = False) -> None:
        room, user = self.desk.room, self.user
        if isinstance(room, Channel):
            assert isinstance(user, SlackUser)
            told = self.desk.messages()
            markup = f"{self.desk.world.bot.mention} {text}"
            await user.send(markup=markup, channel=room, thread=told[-1] if reply and told else None)
        else:
            assert isinstance(user, TelegramUser)
            told = self.desk.messages()
            named = "" if reply and told else f"@{self.desk.world.bot.username} "
            await user.send(f"{named}{text}", chat=room, reply_to=told[-1] if reply and told else None)
        await self.desk.settle()


def program(desk: Desk) -> Speaker:
    return Speaker(desk, desk.world.users[777 if isinstance(desk.world, Telegram) else "U0777"])


def ivan(desk: Desk) -> Speaker:
    return Speaker(desk, desk.world.users[501 if isinstance(desk.world, Telegram) else "U0501"])


@pytest.fixture(params=list(MESSENGERS))
def messenger(request: pytest.FixtureRequest) -> Any:
    return MESSENGERS[request.param]


@pytest.fixture
async def desk(messenger: Any, tmp_path: Path) -> AsyncIterator[Desk]:
    async with messenger(tmp_path / "desk", HandClock()) as found:
        yield found


@pytest.mark.parametrize("reply", [False, True], ids=["by name", "in reply"])
async def test_two_desks_that_face_each_other_fall_silent(
    messenger: Any, tmp_path: Path, reply: bool
) -> None:
    """The worst case: each hears all that the other says, as if it were meant for it."""
    clock = HandClock()
    async with messenger(tmp_path / "one", clock) as one, messenger(tmp_path / "two", clock) as two:
        await ivan(one).say("the VPN drops")
        silent = 0
        for _ in range(ROUNDS):
            said, answered = one.fresh(), two.fresh()
            silent = 0 if said or answered else silent + 1
            for text in said:
                await program(two).say(text, reply=reply)
            for text in answered:
                await program(one).say(text, reply=reply)
            clock.advance(timedelta(seconds=30))
        assert silent >= 3
        assert len(one.spoken) <= OFTEN + 1
        assert len(two.spoken) <= OFTEN
        clock.advance(2 * SPAN)
        await one.settle()
        await two.settle()
        assert one.fresh() == two.fresh() == []


async def test_a_program_opens_a_few_tickets_an_hour_and_the_rest_goes_on_with_the_newest(desk: Desk) -> None:
    for number in range(10):
        await program(desk).say(f"disk {number} is full")
    found = await desk.tickets()
    assert [ticket.title for ticket in found] == [f"disk {number} is full" for number in range(OFTEN)]
    assert await desk.words(OFTEN) == [f"disk {number} is full" for number in range(OFTEN - 1, 10)]
    assert len(desk.spoken) == OFTEN
    assert (await desk.kinds()).count("hushed") == 1
    assert found[-1].status is Status.NEW
    desk.clock.advance(SPAN)
    await program(desk).say("disk 10 is full")
    assert len(await desk.tickets()) == OFTEN + 1
    assert len(desk.spoken) == OFTEN + 1


async def test_what_a_program_replies_goes_on_with_its_ticket_and_moves_nothing(desk: Desk) -> None:
    await program(desk).say("disk 1 is full")
    await desk.database.write(lambda tx: tickets.resolve(tx, DESK_ITSELF, TicketId(1), "emptied"))
    await desk.settle()
    before = len(desk.spoken)
    await program(desk).say("disk 1 is fine", reply=True)
    assert len(await desk.tickets()) == 1
    assert (await desk.words(1))[-1] == "disk 1 is fine"
    assert (await desk.tickets())[0].status is Status.RESOLVED
    assert len(desk.spoken) == before


async def test_what_a_program_adds_to_a_merged_ticket_goes_where_that_went(desk: Desk) -> None:
    await ivan(desk).say("I cannot save anything")
    await program(desk).say("disk 1 is full")
    await desk.database.write(lambda tx: merging.merge(tx, DESK_ITSELF, TicketId(2), TicketId(1)))
    await desk.settle()
    await program(desk).say("disk 1 is fine again", reply=True)
    assert (await desk.words(1))[-1] == "disk 1 is fine again"
    assert len(await desk.tickets()) == 2


async def test_programs_command_nothing_and_are_not_told_what_went_wrong(desk: Desk) -> None:
    for words in ("/help", "/my", "/new VPN", "/status 1", "/ticket", "/frobnicate"):
        await program(desk).say(words)
    assert desk.spoken == []
    assert await desk.tickets() == []


async def test_people_are_served_beside_programs_that_are_not_answered_any_more(desk: Desk) -> None:
    for number in range(OFTEN + 2):
        await program(desk).say(f"disk {number} is full")
    before = len(await desk.tickets())
    await ivan(desk).say("the printer is dead")
    assert len(await desk.tickets()) == before + 1
    assert len(desk.spoken) == OFTEN + 1


async def test_an_away_message_goes_into_the_ticket_and_is_answered_by_nothing(tmp_path: Path) -> None:
    away = {"is_from_offline": True}
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        ivan = desk.world.users[501]
        await ivan.send(f"@{desk.world.bot.username} the printer is dead", chat=desk.room)
        await desk.settle()
        before = len(ivan.chat.messages)
        await desk.database.write(lambda tx: tickets.resolve(tx, DESK_ITSELF, TicketId(1), "mended"))
        for _ in range(5):
            await ivan.send("I am away until Monday", body=away)
            await desk.settle()
        assert (await desk.tickets())[0].status is Status.RESOLVED
        assert (await desk.words(1))[1:] == ["I am away until Monday"] * 5
        told = [each.text for each in ivan.chat.messages[before:] if each.by_bot]
        assert [text for text in told if "Is it fixed?" not in text] == []


async def test_what_was_written_beforehand_begins_a_request_and_is_not_answered_for_ever(
    tmp_path: Path,
) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        ivan = desk.world.users[501]
        for _ in range(10):
            await ivan.send("The VPN drops", body={"is_from_offline": True})
            await desk.settle()
        assert len([each for each in ivan.chat.messages if each.by_bot]) == 1
        asked = 1
        for _ in range(10):
            await ivan.send("/cancel")
            await desk.settle()
            await ivan.send("The VPN drops", body={"is_from_offline": True})
            await desk.settle()
            asked += ivan.chat.last.by_bot
        assert asked == OFTEN
        assert (await desk.words(1)) == ["The VPN drops"] * (11 - OFTEN)


async def test_each_word_written_beforehand_is_kept_also_where_none_is_answered(tmp_path: Path) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        ivan = desk.world.users[501]
        for number in range(OFTEN + 2):
            await ivan.send(f"The VPN drops: {number}", body={"is_from_offline": True})
            await desk.settle()
            await ivan.send("/cancel")
            await desk.settle()
        assert await desk.words(1) == [f"The VPN drops: {number}" for number in (OFTEN, OFTEN + 1)]
        assert (await desk.kinds()).count("hushed") == 1


async def test_words_written_beforehand_are_the_comment_that_was_asked_for(tmp_path: Path) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        ivan = desk.world.users[501]
        await ivan.send(f"@{desk.world.bot.username} the printer is dead", chat=desk.room)
        await desk.settle()
        await desk.database.write(_resolve)
        await desk.settle()
        await ivan.send("yes")
        await desk.settle()
        await ivan.press(next(each for each in reversed(ivan.chat.messages) if each.by_bot), "★★★★")
        await desk.settle()
        await ivan.send("Quick and friendly", body={"is_from_offline": True})
        await desk.settle()
        assert "Quick and friendly" in str([event.facts for event in await desk.timeline(1)])


async def test_a_command_that_was_scheduled_is_obeyed_and_answered(tmp_path: Path) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        ivan = desk.world.users[501]
        await ivan.send("/new The VPN drops", body={"is_from_offline": True})
        await desk.settle()
        assert "Where are you" in ivan.chat.last.text
        await ivan.send("/status 7", body={"is_from_offline": True})
        await desk.settle()
        assert "#7" in ivan.chat.last.text


async def _resolve(tx: Transaction) -> None:
    anna = await people.by_identity(tx, Identity("web", "anna"))
    await tickets.resolve(tx, Actor(anna, "web"), TicketId(1), "mended")


async def test_what_a_channel_forwards_to_its_discussion_is_meant_for_nobody(tmp_path: Path) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        forwarded = {"is_automatic_forward": True}
        named = f"@{desk.world.bot.username} helps with everything"
        await desk.world.users[501].send(named, chat=desk.room, body=forwarded)
        await desk.settle()
        assert await desk.tickets() == []
        assert desk.spoken == []


async def test_a_program_that_changes_its_words_all_the_time_is_not_followed_for_ever(tmp_path: Path) -> None:
    async with at_telegram(tmp_path / "desk", HandClock()) as desk:
        assert isinstance(desk.world, Telegram)
        other, named = desk.world.users[777], f"@{desk.world.bot.username} disk is full"
        said = await other.send(named, chat=desk.room)
        await desk.settle()
        for number in range(2 * EDITS):
            await other.edit(said, f"{named}: {number} %")
            await desk.settle()
        assert (await desk.kinds()).count("edited") == EDITS
        assert await desk.words(1) == [f"disk is full: {EDITS - 1} %"]
