"""The sweep: what is over for long is forgotten, and nothing that anybody still waits for."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bot.adapters.webchat import store as transcript
from core.bursts import store as bursts
from core.database import prune
from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.files import actions as files
from core.files import store as file_store
from core.inbox import actions as inbox
from core.inbox import store as letters
from core.inbox.model import Event
from core.inbox.model import State as Letter
from core.outbox import store as parcels
from core.outbox.model import State
from tests.town import Town

KEPT = timedelta(days=30)
DAY = timedelta(days=1)


async def count(town: Town, table: Any, *where: Any) -> int:
    rows = select(func.count()).select_from(table).where(*where)
    return int(await town.database.read(lambda tx: tx.scalar(rows)))


async def change(town: Town, statement: Any) -> None:
    await town.database.write(lambda tx: tx.execute(statement))


async def one_ticket(town: Town) -> None:
    """Ivan reports, Anna takes it and answers; nothing is under way any more."""
    ivan, anna = town["ivan"], town["anna"]
    await ivan.say("The VPN drops")
    for label in ("Home", "Only me", "Skip", "It slows me down", "Send"):
        await ivan.press(label)
    await anna.press("Take it")
    await anna.say("/reply 1 Restart it, please.")


async def test_events_and_parcels_that_are_over_go_after_their_days_and_not_before(town: Town) -> None:
    await one_ticket(town)
    before = [await count(town, table) for table in (letters.inbox, parcels.outbox)]
    town.clock.advance(KEPT - DAY)
    await town.house.sweep.run()
    assert [await count(town, table) for table in (letters.inbox, parcels.outbox)] == before
    town.clock.advance(2 * DAY)
    await town.house.sweep.run()
    assert [await count(town, table) for table in (letters.inbox, parcels.outbox)] == [0, 0]


async def test_what_waits_and_what_was_given_up_stays_however_old_it_is(town: Town) -> None:
    await one_ticket(town)
    ids = [row.id for row in await town.database.read(lambda tx: tx.all(select(letters.inbox.c.id)))]
    await change(town, letters.inbox.update().where(letters.inbox.c.id == ids[0]).values(state=Letter.DEAD))
    await change(town, letters.inbox.update().where(letters.inbox.c.id == ids[1]).values(state=Letter.NEW))
    states = (State.PENDING, State.SENDING, State.UNCERTAIN, State.DEAD)
    sent = [row.id for row in await town.database.read(lambda tx: tx.all(select(parcels.outbox.c.id)))]
    for parcel, state in zip(sent, states, strict=False):
        await change(town, parcels.outbox.update().where(parcels.outbox.c.id == parcel).values(state=state))
    town.clock.advance(2 * KEPT)
    await town.house.sweep.run()
    assert await count(town, letters.inbox) == 2
    assert await count(town, parcels.outbox) == len(states)


async def test_the_transcript_and_the_posts_of_a_ticket_stay(town: Town) -> None:
    await one_ticket(town)
    said = await count(town, transcript.web_messages)
    posts = await count(town, parcels.posts, parcels.posts.c.ticket_id.is_not(None))
    town.clock.advance(2 * KEPT)
    await town.house.sweep.run()
    assert await count(town, transcript.web_messages) == said
    assert await count(town, parcels.posts) == posts > 0
    card = await town["anna"].card(1)
    await town["anna"].say("/priority 1 low because it can wait")
    assert (await town["anna"].card(1)).id == card.id, "the card is edited where it stands"


async def test_the_question_that_somebody_has_not_answered_yet_can_still_be_edited(town: Town) -> None:
    ivan = town["ivan"]
    await ivan.say("The VPN drops")
    question = await ivan.last()
    town.clock.advance(2 * KEPT)
    await town.house.sweep.run()
    await ivan.press("Home")
    asked = next(shown for shown in await ivan.sees() if shown.id == question.id)
    assert "Who is affected?" in asked


async def test_an_event_that_is_told_again_within_a_week_counts_once(town: Town) -> None:
    event = Event("key", "lane", {})

    async def accept(tx: Transaction) -> int:
        return await inbox.accept(tx, "fake", "desk", [event])

    assert await town.database.write(accept) == 1
    await change(town, letters.inbox.update().values(state=Letter.DONE, handled_at=town.clock.now()))
    town.clock.advance(7 * DAY)
    await town.house.sweep.run()
    assert await town.database.write(accept) == 0


@pytest.mark.parametrize("more", [0, 1, prune.STRETCH - 1, prune.STRETCH, 2 * prune.STRETCH + 1])
async def test_the_sweep_goes_to_the_end_of_what_is_old_and_no_further(town: Town, more: int) -> None:
    async def fill(tx: Transaction, name: str, rows: int) -> None:
        events = [Event(f"{name}-{number}", "lane", {}) for number in range(rows)]
        await inbox.accept(tx, "fake", "desk", events)
        await tx.execute(letters.inbox.update().values(state=Letter.DONE, handled_at=tx.now))

    await town.database.write(lambda tx: fill(tx, "old", more))
    await change(town, letters.inbox.update().where(letters.inbox.c.id == 1).values(state=Letter.DEAD))
    town.clock.advance(KEPT + DAY)
    await town.database.write(lambda tx: inbox.accept(tx, "fake", "desk", [Event("new", "lane", {})]))
    await town.house.sweep.run()
    assert await count(town, letters.inbox) == min(more, 1) + 1


# ---- files


async def test_a_draft_keeps_its_files_as_long_as_it_waits(town: Town) -> None:
    ivan = town["ivan"]
    await ivan.say("The VPN drops", files=[("trace.log", b"09:14 tunnel down")])
    town.clock.advance(files.LOOSE_FOR + KEPT)
    await town.house.sweep.run()
    for label in ("Home", "Only me", "Skip", "It slows me down", "Send"):
        await ivan.press(label)
    [file] = await town.database.read(lambda tx: file_store.of_ticket(tx, 1))  # type: ignore[arg-type]
    assert town.house.blobs.path(file.id).read_bytes() == b"09:14 tunnel down"


async def test_the_files_of_a_draft_that_was_left_go(town: Town) -> None:
    ivan = town["ivan"]
    await ivan.say("The VPN drops", files=[("trace.log", b"09:14 tunnel down")])
    await ivan.press("Cancel")
    town.clock.advance(files.LOOSE_FOR + DAY)
    await town.house.sweep.run()
    assert await count(town, file_store.files) == 0


async def test_the_files_of_an_event_that_was_given_up_stay_with_it(town: Town) -> None:
    await town["ivan"].say("The VPN drops", files=[("trace.log", b"09:14 tunnel down")])
    await change(town, dialogs.dialogs.delete())
    await change(town, letters.inbox.update().values(state=Letter.DEAD))
    town.clock.advance(files.LOOSE_FOR + KEPT)
    await town.house.sweep.run()
    assert await count(town, file_store.files) == 1


async def test_how_much_somebody_once_said_at_a_time_is_forgotten(town: Town) -> None:
    await town["ivan"].say("The VPN drops")
    assert await count(town, bursts.bursts) == 1
    town.clock.advance(KEPT - DAY)
    await town.house.sweep.run()
    assert await count(town, bursts.bursts) == 1
    town.clock.advance(2 * DAY)
    await town.house.sweep.run()
    assert await count(town, bursts.bursts) == 0
