"""Messages to many rooms at once: put into the outbox, delivered while time goes on, and counted in Slack."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from bot import message as messages
from bot.message import Attachment, Block, Plain, say
from core.database.transaction import Transaction
from core.outbox import actions as outbox
from core.outbox import store as parcels
from core.outbox.model import Parcel
from tests.emulators.slack import Call, Channel, Message
from tests.slack.rig import TEAM, Rig

STEP = 1.0
SETTLED = {"sent", "dead", "dropped"}


def posts(t: Rig, channel: Channel | None = None) -> list[Call]:
    return [
        call for call in t.slack.called("chat.postMessage") if channel is None or call.channel == channel.id
    ]


def channels(t: Rig, count: int) -> list[Channel]:
    return [t.slack.channel(f"room-{number}") for number in range(count)]


def room(channel: Channel) -> str:
    """The address of a channel; of somebody's direct messages by the person."""
    own = next((user for user in channel.members if user != channel.world.bot.id), "")
    return f"slack:{TEAM}/{own if channel.kind == 'im' else channel.id}"


async def tell(
    t: Rig,
    rooms: Sequence[Channel],
    rounds: int,
    *,
    below: Message | None = None,
    files: Sequence[Attachment] = (),
) -> None:
    """Every room is to hear so many messages, each with words of its own."""

    async def work(tx: Transaction) -> None:
        for number in range(rounds):
            for each in rooms:
                blocks: Sequence[Block] = say(Plain(f"{number} for {each.id}")).blocks
                facts = messages.to_facts(messages.Message((*blocks, *files)))
                there = f"{room(each)}#{below.ts}" if below is not None else room(each)
                await outbox.put(tx, Parcel("message", {"message": facts}, room=there))

    await t.database.write(work)


def expected(rooms: Sequence[Channel], rounds: int) -> dict[str, list[str]]:
    return {each.id: [f"{number} for {each.id}" for number in range(rounds)] for each in rooms}


def heard(rooms: Sequence[Channel]) -> dict[str, list[str]]:
    return {each.id: [message.shown for message in each.from_bot] for each in rooms}


async def states(t: Rig) -> Counter[str]:
    counted = select(parcels.outbox.c.state, func.count()).group_by(parcels.outbox.c.state)
    rows = await t.database.read(lambda tx: tx.all(counted))
    return Counter({str(state): count for state, count in rows})


async def pass_time(t: Rig, seconds: float, *, step: float = STEP) -> None:
    """Time goes on until nothing waits any more, or so long."""
    end = t.tempo + seconds
    while t.tempo < end:
        await t.house.delivery.catch_up()
        if not set(await states(t)) - SETTLED:
            return
        span = min(max(t.house.delivery._pace.soonest(step), 0.01), end - t.tempo)
        t.tempo += span
        t.clock.advance(timedelta(seconds=span))
