"""What happens to an ageing ticket: planned, pinged, promised, snoozed, answered, restarted."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from core.database.transaction import Transaction
from core.escalation import store, whom
from core.escalation.model import (
    EMERGENCY,
    PROMISED,
    SEVERAL_WITHIN,
    Chain,
    Due,
    Of,
    Ping,
    Policies,
    Policy,
    Step,
    asking,
    plan,
    restarted,
)
from core.escalation.whom import Target
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import PersonId, PingId, TicketId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel, Post
from core.people.model import DESK, Actor, Right
from core.sla import queries as sla
from core.sla import store as clocks
from core.tickets import model as moves
from core.tickets import store as tickets
from core.tickets.doors import needs, record
from core.tickets.model import Ticket
from core.timers import actions as timers
from core.timers.model import Timer

STEP, QUIET_OVER = "escalate", "quiet_over"
STUCK = timedelta(minutes=1)
"""So long a ping may try to get through before somebody else is asked too."""

ANSWERS = frozenset(
    {
        "claimed", "released", "passed", "replied", "waited", "held", "resolved", "prioritised", "progressed",
        "promised", "snoozed", "merged", "calmed", "requeued",
    }
)  # fmt: skip
"""Events that answer every ping of the ticket that is still open."""
FOR_A_WHILE = frozenset({"promised", "snoozed"})
"""Answers that another one may follow."""
RESTARTS = frozenset({"prioritised", "requeued", "reopened", "unmerged", "calmed", EMERGENCY})


async def follow(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Bring chain, timers and open pings into line with the ticket after the event."""
    if event.kind in RESTARTS:
        await store.save_chain(tx, Chain(event.ticket, started_at=tx.now))
        await timers.cancel(tx, event.ticket, QUIET_OVER)
    if event.kind in ANSWERS:
        await _answer_all(tx, event)
    elif moves.is_progress(event) and _waits_for(tx, Of.NO_PROGRESS):
        await _answer_all(tx, event, Of.NO_PROGRESS)
    if event.kind != "noted" or _waits_for(tx, Of.NO_PROGRESS):
        await arrange(tx, ticket)
    if event.kind == EMERGENCY:
        await _call(tx, ticket, 0, event.at)


def _waits_for(tx: Transaction, of: Of) -> bool:
    """Whether any policy has a step of this kind."""
    return any(step.of is of for policy in tx.rule(Policies).all for step in policy.steps)


async def arrange(tx: Transaction, ticket: Ticket) -> None:
    """Set the timers the policy wants now, and no others."""
    wanted = {f"{place}.{time}": due for place, time, _, due in await coming(tx, ticket)}
    await timers.set_all(tx, ticket.id, STEP, wanted)


async def coming(tx: Transaction, ticket: Ticket) -> list[Due]:
    """The steps that are still to come."""
    policy = tx.rule(Policies).of(ticket)
    if policy is None:
        return []
    chain = await store.chain(tx, ticket.id)
    pinged = await store.sent(tx, ticket.id, policy.name)
    promised = any(step.of in PROMISED for step in policy.steps)
    return plan(policy, ticket, chain, pinged, await clocks.of_ticket(tx, ticket.id) if promised else {})


async def step(tx: Transaction, timer: Timer) -> None:
    """A step's time has come: ping whom it names, if it still applies."""
    ticket = await tickets.get(tx, timer.ticket)
    policy = tx.rule(Policies).of(ticket)
    due = [each for each in await coming(tx, ticket) if f"{each[0]}.{each[1]}" == timer.key]
    if policy is None or not due or due[0][3] > tx.now:
        await arrange(tx, ticket)
        return
    await _happen(tx, ticket, policy, due[0])


async def _happen(tx: Transaction, ticket: Ticket, policy: Policy, due: Due) -> None:
    """Do what the step says: hand over, release, ask."""
    step = policy.steps[due[0]]
    if step.level is not None or step.release:
        if not step.whom:
            await _behind(tx, _draft(tx, ticket, policy, due, Target("")), "done")
        ticket = await _hand_over(tx, ticket, step)
    if step.whom:
        await _ping(tx, ticket, policy, due)
    else:
        await arrange(tx, ticket)


async def _hand_over(tx: Transaction, ticket: Ticket, step: Step) -> Ticket:
    """To the step's level, if that is a higher one; away from an owner who does nothing."""
    level = step.raised(ticket.level)
    if level is not ticket.level:
        facts = {"level": level, "text": "", "auto": step.of}
        ticket = await record(tx, DESK, ticket, "levelled", facts)
    if step.release and ticket.owner is not None:
        told = {"text": "", "from": ticket.owner, "auto": step.of}
        ticket = await record(tx, DESK, ticket, "released", told)
    return ticket


async def _ping(tx: Transaction, ticket: Ticket, policy: Policy, due: Due) -> None:
    place, time, base_at, due_at = due
    step = policy.steps[place]
    targets = await whom.targets(tx, ticket, step, base_at)
    drafts = [_draft(tx, ticket, policy, due, target) for target in targets]
    names = [
        target.name for target, draft in zip(targets, drafts, strict=True) if await _ask(tx, draft, step.via)
    ]
    if not targets:
        await _behind(tx, _draft(tx, ticket, policy, due, Target("")), "undelivered")
    facts = {"step": place, "time": time, "due_at": due_at.isoformat(), "names": names}
    ticket = await record(tx, DESK, ticket, "pinged", facts)
    if not targets:
        await hurry(tx, ticket)


def _draft(tx: Transaction, ticket: Ticket, policy: Policy, due: Due, target: Target) -> Ping:
    place, time, base_at, due_at = due
    person, room = target.person, target.room
    return Ping(PingId(0), ticket.id, policy.name, place, time, base_at, due_at, person, room, tx.now)


async def _ask(tx: Transaction, draft: Ping, via: str | None = None) -> bool:
    """What one person is asked at about the same time stands in one message; an emergency in its own."""
    if draft.person is not None and draft.policy != EMERGENCY:
        first = await store.asked_lately(tx, draft.person, tx.now - SEVERAL_WITHIN)
        if first is not None and _via(tx, first) == via:
            draft = replace(draft, together=first.id)
    ping_id = await store.add_ping(tx, draft)
    if ping_id is not None:
        await show(tx, replace(draft, id=ping_id), via)
        await _show_earlier(tx, replace(draft, id=ping_id))
    return ping_id is not None


async def _show_earlier(tx: Transaction, ping: Ping) -> None:
    """The message in which this person was last asked about the ticket tells that they are asked again."""
    if ping.person is None:
        return
    before = [
        each
        for each in await store.of_ticket(tx, ping.ticket)
        if each.person == ping.person and _open_still(each) and each.shown_as != ping.shown_as
    ]
    if before:
        await show(tx, before[-1])


async def arrived(tx: Transaction, ping_id: PingId) -> None:
    """The message stands there now; if the same was asked again before that, it says so."""
    asked = await store.together(tx, ping_id)
    person = asked[0].person if asked else None
    if person is not None and await store.asked_again(tx, person, asked):
        await show(tx, asked[0])


async def _behind(tx: Transaction, draft: Ping, answer: str) -> None:
    """The step is behind us although nobody was asked."""
    ping_id = await store.add_ping(tx, draft)
    if ping_id is not None:
        await store.answer(tx, replace(draft, id=ping_id), answer, by=None, via=DESK.via)


async def _call(tx: Transaction, ticket: Ticket, time: int, base_at: datetime) -> None:
    """Whoever is on call is asked at once, whatever the policy says; if that is in vain, the leads."""
    targets = await whom.urgently(tx, ticket, otherwise=time > 0)
    drafts = [
        Ping(PingId(0), ticket.id, EMERGENCY, 0, time, base_at, tx.now, each.person, each.room, tx.now)
        for each in targets
    ]
    names = [target.name for target, draft in zip(targets, drafts, strict=True) if await _ask(tx, draft)]
    if names:
        facts = {"step": 0, "time": time, "due_at": tx.now.isoformat(), "names": names}
        await record(tx, DESK, ticket, "pinged", facts)


async def show(tx: Transaction, ping: Ping, via: str | None = None) -> None:
    """Show the ping, or what became of it, to whom it asks; `via` says through which messenger."""
    facts: dict[str, Any] = {"ping": ping.together or ping.id}
    parcel = Parcel(
        "ping",
        {**facts, "via": via} if via else facts,
        room=ping.room,
        person=ping.person,
        ticket=ping.ticket,
        thread=ping.room is not None and not ping.by_program,
        slot=ping.shown_as,
    )
    await outbox.put(tx, parcel)


async def _answer_all(tx: Transaction, event: Event, of: Of | None = None) -> None:
    """Every ping of the ticket is answered, or those that ask about this alone."""
    for ping in await store.of_ticket(tx, event.ticket):
        if of is not None and _asks_about(tx, ping) is not of:
            continue
        open_still = _open_still(ping)
        if not open_still and ping.answer != "undelivered":
            continue
        called = await posts.posts_beginning(tx, f"{ping.shown_as}:")
        calls = [each for each in called if each.ticket == ping.ticket]
        if open_still or calls or await posts.awaited(tx, f"{ping.shown_as}:", ping.ticket):
            await store.answer(tx, ping, event.kind, by=event.actor, via=event.via)
            await show(tx, ping)
            await _show_calls(tx, ping, calls)


def _open_still(ping: Ping) -> bool:
    return ping.answer is None or ping.answer in FOR_A_WHILE


def _asks_about(tx: Transaction, ping: Ping) -> Of | None:
    asked = tx.rule(Policies).step_of(ping)
    return asked.of if asked is not None else None


def _via(tx: Transaction, ping: Ping) -> str | None:
    """Through which messenger it was to go."""
    asked = tx.rule(Policies).step_of(ping)
    return asked.via if asked is not None else None


async def _show_calls(tx: Transaction, ping: Ping, calls: list[Post]) -> None:
    """Where somebody was called by name because the ping could not reach them, the answer shows too."""
    for call in calls:
        room = call.address.partition("#")[0]
        facts = {"ping": ping.together or ping.id, "call": ping.person}
        await outbox.put(
            tx, Parcel("ping", facts, room=room, ticket=ping.ticket, thread=True, slot=call.slot)
        )


@needs(Right.WORK)
async def still_working(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """Its owner is on it still: what waits for progress is counted from now. Raises UserError for others."""
    if ticket.owner != actor.person_id:
        raise UserError("ticket.not_yours", ticket=ticket.id)
    moves.check(ticket, "progressed")
    return await record(tx, actor, ticket, "progressed")


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
    if kind == "snoozed":
        until = min(until, await sla.due_after(tx, ticket.id, tx.now) or until)
    chain = await store.chain(tx, ticket.id)
    await store.save_chain(tx, replace(chain, quiet_until=until, quiet_by=actor.person_id, quiet_kind=kind))
    await timers.set_timer(tx, ticket.id, QUIET_OVER, until)
    await record(tx, actor, ticket, kind, {"until": until.isoformat()})
    return until


async def quiet_over(tx: Transaction, timer: Timer) -> None:
    """What was promised or snoozed is over: the chain starts again, its first step at once."""
    ticket = await tickets.get(tx, timer.ticket)
    await store.save_chain(tx, restarted(tx.rule(Policies).of(ticket), ticket, tx.now))
    await arrange(tx, ticket)


async def unanswered_in(tx: Transaction, ping_id: PingId) -> list[TicketId]:
    """The tickets that are asked about in that message, where nobody has answered yet."""
    asked = await store.together(tx, ping_id)
    return list(dict.fromkeys(ping.ticket for ping in asked if ping.answer is None))


async def undeliverable(tx: Transaction, ping_id: PingId) -> None:
    """What was asked in that message reached nobody: the next steps need not wait."""
    lost = [ping for ping in await store.together(tx, ping_id) if ping.answer is None]
    for ping in lost:
        await store.answer(tx, ping, "undelivered", by=None, via=DESK.via)
    for ping in lost:
        await _ask_next(tx, ping)


async def _ask_next(tx: Transaction, ping: Ping) -> None:
    """Whoever comes after that ping is asked now."""
    ticket = await tickets.get(tx, ping.ticket)
    if ping.policy != EMERGENCY:
        await hurry(tx, ticket, ping)
    elif ping.time == 0:
        await _call(tx, ticket, 1, ping.base_at)


async def is_stuck(tx: Transaction, ping_id: PingId) -> bool:
    """Whether what was asked in that message has been on its way for too long, and is not answered."""
    asked = [ping for ping in await store.together(tx, ping_id) if ping.answer is None]
    return any(tx.now - ping.sent_at >= STUCK for ping in asked)


async def ask_others(tx: Transaction, ping_id: PingId) -> None:
    """What is asked in that message may arrive yet: of each ticket the next step comes now, if the last
    that was asked about it is this."""
    for number in await unanswered_in(tx, ping_id):
        last = (await store.of_ticket(tx, number))[-1]
        if (last.together or last.id) == ping_id and tx.now - last.sent_at >= STUCK:
            await _ask_next(tx, last)


async def hurry(tx: Transaction, ticket: Ticket, in_vain: Ping | None = None) -> None:
    """Let the next step that asks somebody else happen now. Nobody loses the ticket earlier for that, and
    whom the last ping has not reached is not asked again before the time."""
    policy = tx.rule(Policies).of(ticket)
    if policy is None:
        return
    lost = await _lost(tx, ticket, in_vain)
    for place, time, base_at, due_at in asking(policy, await coming(tx, ticket)):
        if due_at <= tx.now:
            return
        following = policy.steps[place]
        there = replace(ticket, level=following.raised(ticket.level))
        found = await whom.targets(tx, there, following, base_at)
        if any((each.person, each.room) not in lost for each in found):
            await _happen(tx, ticket, policy, (place, time, base_at, tx.now))
            return


Whom = tuple[PersonId | None, str | None]
"""A person or a room."""


async def _lost(tx: Transaction, ticket: Ticket, in_vain: Ping | None) -> set[Whom]:
    """Those who were asked about it last in vain."""
    newest = {(ping.person, ping.room): ping for ping in await store.of_ticket(tx, ticket.id)}
    lost = {which for which, ping in newest.items() if ping.answer == "undelivered"}
    return lost if in_vain is None else lost | {(in_vain.person, in_vain.room)}
