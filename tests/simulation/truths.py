"""What must hold at every instant of an episode, and what must hold once all is calm."""

from collections import Counter, defaultdict

from sqlalchemy import select

from bot import cards
from core.database.transaction import Transaction
from core.inbox.store import inbox
from core.outbox.store import outbox, posts
from core.people import store as people
from core.tickets import store as tickets
from tests.simulation.platforms import POISON, Standing, nonces
from tests.simulation.world import World
from tests.stateful import truths as known

ALWAYS = (
    known.state_is_the_fold_of_the_timeline,
    known.who_belongs_is_what_the_timeline_says,
    known.a_reply_taken_back_never_was_one,
    known.timers_are_what_the_tickets_want,
    known.each_ping_is_one,
    known.no_ping_is_open_once_somebody_has_acted,
)
ERRORS = {"busy", "slow down", "no answer", "never", None}
STAFF_ONLY = {
    "claimed", "released", "passed", "replied", "waited", "held", "resumed", "noted", "prioritised",
    "promised", "snoozed", "levelled", "merged", "unmerged",
}  # fmt: skip


async def at_every_instant(world: World, tx: Transaction) -> None:
    for truth in ALWAYS:
        await truth(tx)
    await nothing_failed(tx)
    await each_word_is_in_one_place_at_most(world, tx)
    await actors_had_the_right(tx)


async def nothing_failed(tx: Transaction) -> None:
    for row in await tx.all(select(inbox.c.id, inbox.c.attempts, inbox.c.state, inbox.c.body, inbox.c.error)):
        if row.body["kind"] == POISON:
            assert row.state in ("new", "dead"), row
            continue
        assert row.attempts == 0, row
        assert row.state in ("new", "done"), row
    for row in await tx.all(select(outbox.c.id, outbox.c.state, outbox.c.error, outbox.c.attempts)):
        assert row.error in ERRORS, row
        assert row.state != "dead" or row.error == "never" or row.attempts >= 11, row


async def each_word_is_in_one_place_at_most(world: World, tx: Transaction) -> None:
    found = await known.places(tx)
    for nonce in world.taken:
        assert found.of(nonce) <= 1, f"{nonce} of {world.authors[nonce].name} is {found.of(nonce)} times"


async def actors_had_the_right(tx: Transaction) -> None:
    staff = {person.id for person in await people.staff(tx)}
    for ticket in await known.every_ticket(tx):
        for event in await tickets.timeline(tx, ticket.id):
            by_desk = event.actor is None or event.via == "desk"
            assert event.kind not in STAFF_ONLY or by_desk or event.actor in staff, event


async def nothing_waits(tx: Transaction) -> bool:
    parcels = select(outbox.c.id).where(outbox.c.state.in_(["pending", "uncertain", "sending"])).limit(1)
    letters = select(inbox.c.id).where(inbox.c.state == "new").limit(1)
    return not await tx.all(parcels) and not await tx.all(letters)


async def at_rest(world: World, tx: Transaction) -> None:
    await at_every_instant(world, tx)
    await everything_was_done(tx)
    await every_word_is_kept(world, tx)
    await everything_sent_stands(world, tx)
    await order_is_kept(world, tx)
    await replies_are_read_once_in_order(world, tx)
    await cards_show_the_ticket_as_it_is(world, tx)


async def everything_was_done(tx: Transaction) -> None:
    await known.everything_due_was_done(tx)
    left = await tx.all(select(outbox).where(outbox.c.state.not_in(["sent", "dropped", "dead"])))
    assert not left, f"now {tx.now}: {left}"


async def every_word_is_kept(world: World, tx: Transaction) -> None:
    """INV1: what the desk said it has, of people who leave nothing behind, is in exactly one place."""
    found = await known.places(tx)
    later = set(world.instead.values())
    for nonce, taken in world.taken.items():
        author = world.authors[nonce]
        assert taken, f"{nonce} of {author.name} never reached the desk"
        if author.staff or not author.careful or nonce in later:
            continue
        chain = [nonce]
        while chain[-1] in world.instead:
            chain.append(world.instead[chain[-1]])
        times = sum(found.of(each) for each in chain)
        assert times == 1, f"{chain} of {author.name} is {times} times"


async def everything_sent_stands(world: World, tx: Transaction) -> None:
    """INV2: whatever stands is known to the desk, but for copies of which it had no answer; and the other
    way round."""
    known_posts: dict[str, set[str]] = defaultdict(set)
    for row in await tx.all(select(posts.c.room, posts.c.remote)):
        known_posts[row.room].add(row.remote)
    dead = {f"parcel-{row.id}" for row in await tx.all(select(outbox.c.id).where(outbox.c.state == "dead"))}
    standing: dict[str, set[str]] = defaultdict(set)
    for platform in world.platforms.values():
        for room, shown in platform.rooms.items():
            name = f"{platform.name}:{room}"
            standing[name] = {each.id for each in shown if not each.deleted}
            for each in shown:
                excused = each.nonce in dead or any(call.doubtful for call in platform.calls[each.nonce])
                ours = each.deleted or each.id in known_posts[name] or excused
                assert ours, f"{name}: {each.nonce} stands there, and the desk does not know it"
    for name, remotes in known_posts.items():
        lost = remotes - standing[name]
        assert not lost, f"{name}: {lost} stand nowhere"
    slots = Counter(
        (row.room, row.slot) for row in await tx.all(select(posts.c.room, posts.c.slot)) if row.slot
    )
    assert not [slot for slot, times in slots.items() if times > 1], slots.most_common(3)


async def order_is_kept(world: World, tx: Transaction) -> None:
    """INV3: what goes to one lane was shown in the order in which it was put there."""
    rows = await tx.all(select(outbox.c.id, outbox.c.lane, outbox.c.room, outbox.c.slot))
    lanes = {f"parcel-{row.id}": (row.lane, row.room) for row in rows}
    for platform in world.platforms.values():
        last: dict[str, int] = {}
        for nonce in platform.shown_first:
            lane, room = lanes[nonce]
            number = int(nonce.rpartition("-")[2])
            assert room is None or last.get(lane, 0) < number, f"{lane}: {nonce} came after {last[lane]}"
            last[lane] = number


def _read(world: World, address: str) -> list[Standing]:
    platform, _, room = address.partition("#")[0].partition(":")
    return world.platforms[platform].visible(room)


async def replies_are_read_once_in_order(world: World, tx: Transaction) -> None:
    dead = {row.slot for row in await tx.all(select(outbox.c.slot).where(outbox.c.state == "dead"))}
    for ticket in await known.every_ticket(tx):
        said = [each for each in await tickets.messages_of(tx, ticket.id) if each.kind == "reply"]
        shown = _read(world, ticket.home)
        first: dict[str, int] = {}
        for place, each in enumerate(shown):
            for nonce in nonces(each.message):
                first.setdefault(nonce, place)
        for each in said:
            marked = known.nonces(each.text)
            if marked and f"reply:{each.id}" not in dead and each.withdrawn_at is None:
                assert marked[0] in first, f"the reply {marked} of {ticket.id} is not read in {ticket.home}"


async def cards_show_the_ticket_as_it_is(world: World, tx: Transaction) -> None:
    dead = {row.slot for row in await tx.all(select(outbox.c.slot).where(outbox.c.state == "dead"))}
    staff = await people.staff(tx)
    standing = {(each.room, each.remote) for each in await tx.all(select(posts))}
    for ticket in await known.every_ticket(tx):
        if f"card:{ticket.id}" in dead:
            continue
        for platform in map(world.platforms.__getitem__, world.spaces):
            room = world.space(platform)
            shown = [
                each
                for each in platform.visible(room)
                if each.message.tone == "card"
                and each.message.ticket == ticket.id
                and (f"{platform.name}:{room}", each.id) in standing
            ]
            assert len(shown) == 1, f"{len(shown)} cards of {ticket.id} in {platform.name}"
            wanted = [choice.code for row in cards.buttons(ticket, staff) for choice in row]
            found = [choice.code for row in shown[0].message.rows for choice in row]
            assert found == wanted, f"{platform.name}: the card of {ticket.id} is {found} instead of {wanted}"
