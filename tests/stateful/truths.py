"""What must hold at every instant, and what must hold once the desk has come to rest."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from bot import cards
from bot.adapters.webchat.store import Entry, get, recent, web_messages
from core.database.transaction import Transaction
from core.dialogs.store import dialogs
from core.escalation import actions as escalation
from core.escalation import store as escalations
from core.escalation.model import Ping
from core.inbox.store import inbox
from core.kernel.ids import Identity, MessageId
from core.outbox.store import outbox, posts
from core.people import store as people
from core.sla import store as clocks
from core.sla.model import Target
from core.tickets import company, model, queries
from core.tickets import store as tickets
from core.tickets.model import Status, Ticket
from core.timers import store as timers

NONCE = re.compile(r"\bn\d+x\b")


def nonces(text: str) -> list[str]:
    return NONCE.findall(text)


@dataclass
class Places:
    """Where every nonce is: in live messages, in drafts of dialogs, elsewhere in the ticket."""

    live: Counter[str] = field(default_factory=Counter)
    withdrawn: Counter[str] = field(default_factory=Counter)
    drafted: Counter[str] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)

    def of(self, nonce: str) -> int:
        return self.live[nonce] + self.drafted[nonce] + self.elsewhere[nonce]


async def places(tx: Transaction) -> Places:
    found = Places()
    for row in await tx.all(select(tickets.messages)):
        (found.live if row.withdrawn_at is None else found.withdrawn).update(nonces(row.text))
    for row in await tx.all(select(dialogs)):
        moved = await _moved_words(tx, row.draft.get("moved"))
        found.drafted.update(nonce for nonce in nonces(json.dumps(row.draft)) if nonce not in moved)
    for row in await tx.all(select(tickets.tickets.c.answers)):
        found.elsewhere.update(nonces(json.dumps(row.answers)))
    for row in await tx.all(select(tickets.events.c.facts).where(tickets.events.c.kind == "commented")):
        found.elsewhere.update(nonces(row.facts["text"]))
    return found


async def _moved_words(tx: Transaction, moved: tuple[int, int] | None) -> list[str]:
    """What a draft begins with that still stands in another ticket, until it is sent."""
    message = await tickets.message(tx, MessageId(moved[1])) if moved else None
    return [] if message is None or message.withdrawn_at else nonces(message.text)


async def events_accepted(tx: Transaction) -> int:
    return len(await tx.all(select(inbox.c.id)))


async def every_ticket(tx: Transaction) -> list[Ticket]:
    return [await tickets.get(tx, number) for number in await queries.all_ids(tx)]


async def state_is_the_fold_of_the_timeline(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        assert model.fold(await tickets.timeline(tx, ticket.id)) == ticket


async def who_belongs_is_what_the_timeline_says(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        present = await tickets.participants_of(tx, ticket.id)
        assert company.fold(await tickets.timeline(tx, ticket.id)) == present, ticket
        assert ticket.requester not in present, ticket


async def timers_are_what_the_tickets_want(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        wanted = {f"{place}.{time}": due for place, time, _, due in await escalation.coming(tx, ticket)}
        found = {timer.key: timer.due_at for timer in await timers.of_ticket(tx, ticket.id, "escalate")}
        assert found == wanted, ticket
        assert len(await timers.of_ticket(tx, ticket.id, "close")) == (ticket.status is Status.RESOLVED)
        held = await timers.of_ticket(tx, ticket.id, "hold_over")
        assert [timer.due_at for timer in held] == ([ticket.hold_until] if ticket.hold_until else [])
        chain = await escalations.chain(tx, ticket.id)
        quiet = await timers.of_ticket(tx, ticket.id, "quiet_over")
        assert [timer.due_at for timer in quiet] == ([chain.quiet_until] if chain.quiet_until else [])


async def each_ping_is_one(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        pings = await escalations.of_ticket(tx, ticket.id)
        once = Counter(
            (ping.policy, ping.step, ping.time, ping.base_at, ping.person, ping.room) for ping in pings
        )
        assert not [ping for ping, times in once.items() if times > 1]


async def a_reply_taken_back_never_was_one(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        undone = {each.id for each in await tickets.messages_of(tx, ticket.id) if each.withdrawn_at}
        timeline = await tickets.timeline(tx, ticket.id)
        stands = [
            each.at for each in timeline if each.kind == "replied" and each.facts["message"] not in undone
        ]
        assert ticket.replied_at == (stands[0] if stands else None), ticket
        first = (await clocks.of_ticket(tx, ticket.id))[Target.FIRST]
        over = {"resolved", "merged"} & {each.kind for each in timeline}
        assert (first.met_at is not None) == bool(stands or over)
        asked = [each for each in timeline if each.kind == "waited" and each.facts["message"] not in undone]
        assert asked or ticket.status is not Status.WAITING


ANSWERS = {
    "claimed", "passed", "replied", "waited", "held", "resolved", "prioritised", "promised", "snoozed",
    "merged",
}  # fmt: skip


async def no_ping_is_open_once_somebody_has_acted(tx: Transaction) -> None:
    for ticket in await every_ticket(tx):
        timeline = await tickets.timeline(tx, ticket.id)
        for ping in await escalations.of_ticket(tx, ticket.id):
            facts = {"step": ping.step, "time": ping.time, "due_at": ping.due_at.isoformat()}
            asked = max(
                place
                for place, event in enumerate(timeline)
                if event.kind == "pinged" and facts.items() <= event.facts.items()
            )
            assert ping.answer is not None or not {event.kind for event in timeline[asked:]} & ANSWERS, ping


async def nothing_failed(tx: Transaction) -> None:
    for row in await tx.all(select(inbox)):
        assert row.attempts == 0, row.error
        assert row.state in ("new", "done")
    allowed = {"busy", "slow down", "no answer", "never", None}
    for row in await tx.all(select(outbox)):
        assert row.error in allowed, row
        assert row.state != "dead" or row.error == "never", row


async def words_keep_their_order(tx: Transaction, order: dict[str, int]) -> None:
    """Within a ticket; words that were moved there from another one stand where they came."""
    gone = (await places(tx)).withdrawn
    for ticket in await every_ticket(tx):
        said = [each for each in await tickets.messages_of(tx, ticket.id) if each.kind == "request"]
        heard = [nonce for each in said if not each.withdrawn_at for nonce in nonces(each.text)]
        told = [order[nonce] for nonce in heard if not gone[nonce]]
        assert told == sorted(told)


async def screen(tx: Transaction, room: str) -> list[Entry]:
    """Everything that stands in a room, whoever may see it, in the order it was said."""
    viewers = [Identity("web", name) for name in ("ivan", "olga", "anna", "boris", "maria")]
    found = {entry.id: entry for each in viewers for entry in await recent(tx, each, [room], 100_000)}
    return [found[number] for number in sorted(found)]


def words(entry: Entry) -> str:
    return json.dumps([repr(block) for block in entry.message.blocks])


async def notes_stay_with_staff(tx: Transaction) -> None:
    notes = await tx.all(select(tickets.messages.c.text).where(tickets.messages.c.kind == "note"))
    secret = {nonce for row in notes for nonce in nonces(row.text)}
    for account in ("ivan", "olga"):
        for entry in await screen(tx, f"u-{account}"):
            assert not secret & set(nonces(words(entry)))


# ---- at rest


async def everything_due_was_done(tx: Transaction) -> None:
    late = await tx.all(
        select(timers.timers).where(timers.timers.c.due_at <= tx.now, timers.timers.c.lease_until.is_(None))
    )
    assert not late
    assert not await tx.all(select(inbox).where(inbox.c.state == "new"))


async def everything_was_sent(tx: Transaction) -> None:
    left = await tx.all(select(outbox).where(outbox.c.state.not_in(["sent", "dropped", "dead"])))
    assert not left


async def _dead_slots(tx: Transaction) -> set[str]:
    rows = await tx.all(select(outbox.c.slot).where(outbox.c.state == "dead"))
    return {row.slot for row in rows}


async def every_message_is_accounted_for(tx: Transaction) -> None:
    """Nothing stands twice: each message of the desk is one that the desk knows it has shown."""
    dead = await tx.all(select(outbox.c.id).where(outbox.c.state == "dead"))
    lost = [f"out:parcel-{row.id}" for row in dead]
    ours = select(web_messages.c.id, web_messages.c.nonce).where(
        web_messages.c.author.is_(None), web_messages.c.deleted.is_(False)
    )
    shown = {str(row.id) for row in await tx.all(ours) if row.nonce not in lost}
    known = {row.remote for row in await tx.all(select(posts.c.remote))}
    assert shown <= known


async def replies_are_read_once_in_order(tx: Transaction) -> None:
    dead = await _dead_slots(tx)
    for ticket in await every_ticket(tx):
        room = ticket.home.partition(":")[2]
        said = [each for each in await tickets.messages_of(tx, ticket.id) if each.kind == "reply"]
        read = [nonce for entry in await screen(tx, room) for nonce in nonces(words(entry))]
        for each in said:
            (nonce,) = nonces(each.text)
            if f"reply:{each.id}" not in dead:
                assert read.count(nonce) == (each.withdrawn_at is None), (each, read)
            assert read.count(nonce) <= 1
        mine = [nonces(each.text)[0] for each in said]
        seen = [nonce for nonce in read if nonce in mine]
        assert seen == [nonce for nonce in mine if nonce in seen]


async def staff_read_everything_once(tx: Transaction) -> None:
    dead = await _dead_slots(tx)
    entries = await screen(tx, "support")
    read = Counter(nonce for entry in entries if not entry.author for nonce in nonces(words(entry)))
    for ticket in await every_ticket(tx):
        for said in await tickets.messages_of(tx, ticket.id):
            there = said.kind == "note" and said.room == "web:support"
            if there or said.flood is not None or f"said:{said.id}" in dead:
                continue
            if f"card:{ticket.id}" not in dead and said.withdrawn_at is None:
                assert all(read[nonce] for nonce in nonces(said.text)), said
    standing = await tx.all(select(posts.c.slot).where(posts.c.slot.is_not(None)))
    assert not [slot for slot, times in Counter((row.slot) for row in standing).items() if times > 1]


def _is_open(entry: Entry) -> bool:
    return any(choice.code.startswith("t.") for row in entry.message.rows for choice in row)


async def pings_show_what_became_of_them(tx: Transaction) -> None:
    """Each ping stands at most once before each person, with buttons only while there is something to do: it
    is open, or was answered for a while, and no later message asks the same."""
    dead = await _dead_slots(tx)
    shown: Counter[tuple[int, str, str | None]] = Counter()
    rows = await tx.all(select(outbox).where(outbox.c.kind == "ping"))
    sent = {f"out:parcel-{row.id}": row.facts["ping"] for row in rows}
    for row in await tx.all(select(web_messages).where(web_messages.c.nonce.in_(list(sent)))):
        first = sent[row.nonce]
        shown[first, row.room] += 1  # in the space somebody may be called who could not be reached
        entry = await get(tx, row.id)
        assert entry is not None
        if f"ping:{first}" not in dead:
            asked = [each for each in await escalations.together(tx, first) if not await _again(tx, each)]
            waits = any(ping.answer is None for ping in asked)
            for_a_while = any(ping.answer in escalation.FOR_A_WHILE for ping in asked)
            assert _is_open(entry) or not waits, (asked, entry)
            assert not _is_open(entry) or waits or for_a_while, (asked, entry)
            assert entry.message.over != waits, (asked, entry)
    assert not [ping for ping, times in shown.items() if times > 1]


async def _again(tx: Transaction, ping: Ping) -> bool:
    """Whether a later message that has arrived asks the same person about the same ticket."""
    later = [
        each.shown_as
        for each in await escalations.of_ticket(tx, ping.ticket)
        if each.person == ping.person and each.id > ping.id and each.shown_as != ping.shown_as
    ]
    return bool(await tx.all(select(posts.c.id).where(posts.c.slot.in_(later))))


async def cards_show_the_ticket_as_it_is(tx: Transaction) -> None:
    dead, staff = await _dead_slots(tx), await people.staff(tx)
    cards_seen = [entry for entry in await screen(tx, "support") if entry.message.tone == "card"]
    for ticket in await every_ticket(tx):
        if f"card:{ticket.id}" in dead:
            continue
        (entry,) = [each for each in cards_seen if each.message.ticket == ticket.id]
        assert _codes(entry.message.rows) == _codes(cards.buttons(ticket, staff)), ticket


def _codes(rows) -> list[str]:  # type: ignore[no-untyped-def]
    return [choice.code for row in rows for choice in row]


ALWAYS = (
    state_is_the_fold_of_the_timeline,
    who_belongs_is_what_the_timeline_says,
    a_reply_taken_back_never_was_one,
    timers_are_what_the_tickets_want,
    each_ping_is_one,
    no_ping_is_open_once_somebody_has_acted,
    nothing_failed,
    notes_stay_with_staff,
)
SETTLED = (everything_due_was_done,)
AT_REST = (
    everything_was_sent,
    every_message_is_accounted_for,
    replies_are_read_once_in_order,
    staff_read_everything_once,
    pings_show_what_became_of_them,
    cards_show_the_ticket_as_it_is,
)
