"""Many open tickets at once, as rows: what a desk looks like that has been in use for long."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from bot.main import House
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.kernel.ids import Identity, PersonId
from core.people import actions as people
from core.sla import store as clocks
from core.sla.model import Promises, Target
from core.tickets import store as tickets
from core.tickets.catalogue import Priority
from core.timers import store as timers

FIRST = 1_000_000
"""The lowest number of a ticket made here; the desk's own count stays far below it."""
CHUNK = 5_000
FAR = timedelta(days=30)


async def pile(house: House, count: int) -> None:
    """Add so many open tickets, each with its clocks and its timers, none of them due within a month."""

    async def requester(tx: Transaction) -> PersonId:
        return (await people.meet(tx, Identity("web", "pile"), name="Pile", language="en")).id

    person = await house.database.write(requester)
    for start in range(0, count, CHUNK):
        numbers = range(FIRST + start, FIRST + min(start + CHUNK, count))

        async def work(tx: Transaction, numbers: range = numbers) -> None:
            await tx.execute(tickets.tickets.insert(), [_ticket(tx, each, person) for each in numbers])
            await tx.execute(clocks.clocks.insert(), [row for each in numbers for row in _clocks(tx, each)])
            await tx.execute(timers.timers.insert(), [row for each in numbers for row in _timers(tx, each)])

        await house.database.write(work)


def _ticket(tx: Transaction, number: int, person: PersonId) -> dict[str, Any]:
    return {
        "id": number,
        "title": "The VPN drops every ten minutes",
        "type": "network",
        "queue": "support",
        "status": "new",
        "priority": "normal",
        "level": "L1",
        "requester_id": person,
        "home": "web:u-pile",
        "answers": [],
        "created_at": tx.now,
        "changed_at": tx.now,
        "unanswered_since": tx.now,
        "unclaimed_since": tx.now,
        "revision": 0,
        "search": "the vpn drops every ten minutes",
    }


def _clocks(tx: Transaction, number: int) -> Iterator[dict[str, Any]]:
    for target in (Target.FIRST, Target.RESOLUTION):
        yield {
            "ticket_id": number,
            "target": target,
            "started_at": tx.now,
            "length": tx.rule(Promises).length(Priority.NORMAL, target),
            "paused_for": timedelta(0),
            "due_at": tx.now + FAR,
        }


def _timers(tx: Transaction, number: int) -> Iterator[dict[str, Any]]:
    for step in range(2):
        due_at = tx.now + FAR + timedelta(seconds=number - FIRST, hours=step)
        yield {
            "kind": escalation.STEP,
            "ticket_id": number,
            "key": f"{step}.1",
            "due_at": due_at,
            "facts": {},
            "fence": 0,
        }
