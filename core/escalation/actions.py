"""What happens to an ageing ticket: planned, pinged, promised, snoozed, answered, restarted."""

from dataclasses import replace
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.escalation import store, whom
from core.escalation.model import Chain, Due, Ping, Policies, Policy, base, plan
from core.escalation.whom import Target
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import PingId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel, Post
from core.people.model import DESK, Actor, Right
from core.sla import queries as sla
from core.tickets import store as tickets
from core.tickets.doors import needs, record
from core.tickets.model import Ticket
from core.timers import actions as timers
from core.timers import store as timer_store
from core.timers.model import Timer

STEP, QUIET_OVER = "escalate", "quiet_over"

ANSWERS = frozenset(
    {
        "claimed", "passed", "replied", "waited", "held", "resolved", "prioritised", "promised", "snoozed",
        "merged",
    }
)  # fmt: skip
"""Events that answer every ping of the ticket that is still open."""
FOR_A_WHILE = frozenset({"promised", "snoozed"})
"""Answers that another one may follow."""
RESTARTS = frozenset({"prioritised", "reopened", "unmerged"})


async def follow(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Bring chain, timers and open pings into line with the ticket after the event."""
    if event.kind in RESTARTS:
        await store.save_chain(tx, Chain(event.ticket, started_at=tx.now))
        await timers.cancel(tx, event.ticket, QUIET_OVER)
    if event.kind in ANSWERS:
        await _answer_all(tx, event)
    await arrange(tx, ticket)


async def arrange(tx: Transaction, ticket: Ticket) -> None:
    """Set the timers the policy wants now, and no others."""
    wanted = {f"{place}.{time}": due for place, time, _, due in await coming(tx, ticket)}
    set_already = {timer.key: timer.due_at for timer in await timer_store.of_ticket(tx, ticket.id, STEP)}
    await timer_store.remove_keys(tx, ticket.id, STEP, set_already.keys() - wanted.keys())
    for key, due_at in wanted.items():
        if set_already.get(key) != due_at:
            await timers.set_timer(tx, ticket.id, STEP, due_at, key=key)


async def coming(tx: Transaction, ticket: Ticket) -> list[Due]:
    """The steps that are still to come."""
    policy = tx.rule(Policies).of(ticket)
    if policy is None:
        return []
    chain = await store.chain(tx, ticket.id)
    return plan(policy, ticket, chain, await store.sent(tx, ticket.id, policy.name))


async def step(tx: Transaction, timer: Timer) -> None:
    """A step's time has come: ping whom it names, if it still applies."""
    ticket = await tickets.get(tx, timer.ticket)
    policy = tx.rule(Policies).of(ticket)
    due = [each for each in await coming(tx, ticket) if f"{each[0]}.{each[1]}" == timer.key]
    if policy is None or not due or due[0][3] > tx.now:
        await arrange(tx, ticket)
        return
    await _ping(tx, ticket, policy, due[0])


async def _ping(tx: Transaction, ticket: Ticket, policy: Policy, due: Due) -> None:
    place, time, base_at, due_at = due
    targets = await whom.targets(tx, ticket, policy.steps[place], base_at)
    names = [target.name for target in targets if await _ask(tx, _draft(tx, ticket, policy, due, target))]
    if not targets:
        await _ask_nobody(tx, _draft(tx, ticket, policy, due, Target("")))
    facts = {"step": place, "time": time, "due_at": due_at.isoformat(), "names": names}
    ticket = await record(tx, DESK, ticket, "pinged", facts)
    if not targets:
        await hurry(tx, ticket)


def _draft(tx: Transaction, ticket: Ticket, policy: Policy, due: Due, target: Target) -> Ping:
    place, time, base_at, due_at = due
    return Ping(
        PingId(0),
        ticket.id,
        policy.name,
        place,
        time,
        base_at,
        due_at,
        target.person,
        target.room,
        tx.now,
    )


async def _ask(tx: Transaction, draft: Ping) -> bool:
    ping_id = await store.add_ping(tx, draft)
    if ping_id is not None:
        await show(tx, replace(draft, id=ping_id))
    return ping_id is not None


async def _ask_nobody(tx: Transaction, draft: Ping) -> None:
    """The step is behind us although it names nobody who works here."""
    ping_id = await store.add_ping(tx, draft)
    if ping_id is not None:
        await store.answer(tx, replace(draft, id=ping_id), "undelivered", by=None, via=DESK.via)


async def show(tx: Transaction, ping: Ping) -> None:
    """Show the ping, or what became of it, to whom it asks."""
    parcel = Parcel(
        "ping",
        {"ping": ping.id},
        room=ping.room,
        person=ping.person,
        ticket=ping.ticket,
        thread=ping.room is not None,
        slot=f"ping:{ping.id}",
    )
    await outbox.put(tx, parcel)


async def _answer_all(tx: Transaction, event: Event) -> None:
    for ping in await store.of_ticket(tx, event.ticket):
        calls = await posts.posts_beginning(tx, f"ping:{ping.id}:")
        open_still = ping.answer is None or ping.answer in FOR_A_WHILE
        if open_still or (ping.answer == "undelivered" and calls):
            await store.answer(tx, ping, event.kind, by=event.actor, via=event.via)
            await show(tx, ping)
            await _show_calls(tx, ping, calls)


async def _show_calls(tx: Transaction, ping: Ping, calls: list[Post]) -> None:
    """Where somebody was called by name because the ping could not reach them, the answer shows too."""
    for call in calls:
        room = call.address.partition("#")[0]
        facts = {"ping": ping.id}
        await outbox.put(
            tx, Parcel("ping", facts, room=room, ticket=ping.ticket, thread=True, slot=call.slot)
        )


@needs(Right.WORK)
async def promise(tx: Transaction, actor: Actor, ticket: Ticket) -> datetime:
    """ "On it": quiet for a while; the chain starts again if nothing came of it. Returns until when."""
    return await _quiet(tx, actor, ticket, "promised", tx.rule(Policies).promise_for)


@needs(Right.WORK)
async def snooze(tx: Transaction, actor: Actor, ticket: Ticket, length: timedelta | None = None) -> datetime:
    """Quiet for `length`, at most until the next promise to the requester falls due. Returns until when."""
    length = length or tx.rule(Policies).snooze_for
    if length <= timedelta(0):
        raise UserError("snooze.past")
    return await _quiet(tx, actor, ticket, "snoozed", length)


async def _quiet(tx: Transaction, actor: Actor, ticket: Ticket, kind: str, length: timedelta) -> datetime:
    asked = any(ping.answer is None for ping in await store.of_ticket(tx, ticket.id))
    if not asked and not await coming(tx, ticket) and (await store.chain(tx, ticket.id)).quiet_until is None:
        raise UserError("snooze.nothing", ticket=ticket.id)
    until = tx.now + length
    clock = await sla.next_due(tx, ticket)
    if kind == "snoozed" and clock is not None and tx.now < clock.due_at < until:
        until = clock.due_at
    chain = await store.chain(tx, ticket.id)
    await store.save_chain(tx, replace(chain, quiet_until=until, quiet_by=actor.person_id, quiet_kind=kind))
    await timers.set_timer(tx, ticket.id, QUIET_OVER, until)
    await record(tx, actor, ticket, kind, {"until": until.isoformat()})
    return until


async def quiet_over(tx: Transaction, timer: Timer) -> None:
    """What was promised or snoozed is over: the chain starts again, its first step at once."""
    ticket = await tickets.get(tx, timer.ticket)
    policy = tx.rule(Policies).of(ticket)
    steps = policy.steps if policy else ()
    applying = [each.after for each in steps if base(ticket, Chain(ticket.id), each.of) is not None]
    started_at = tx.now - min(applying, default=timedelta(0))
    await store.save_chain(tx, Chain(ticket.id, started_at=started_at))
    await arrange(tx, ticket)


async def undeliverable(tx: Transaction, ping_id: PingId) -> None:
    """The ping reached nobody: the next step need not wait."""
    ping = await store.ping(tx, ping_id)
    if ping is None or ping.answer is not None:
        return
    await store.answer(tx, ping, "undelivered", by=None, via=DESK.via)
    ticket = await tickets.get(tx, ping.ticket)
    await hurry(tx, ticket)


async def hurry(tx: Transaction, ticket: Ticket) -> None:
    """Let the next step happen now."""
    following = sorted(await coming(tx, ticket), key=lambda due: due[3])
    if following:
        place, time, base_at, due_at = following[0]
        if due_at > tx.now:
            policy = tx.rule(Policies).of(ticket)
            assert policy is not None
            await _ping(tx, ticket, policy, (place, time, base_at, tx.now))
