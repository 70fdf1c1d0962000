"""Everything the desk knows about its tickets, as JSON lines a person or a program can check."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

from core.database.transaction import Transaction
from core.escalation import store as escalation
from core.files import store as files
from core.inbox import store as inbox
from core.kernel.ids import TicketId
from core.outbox import store as outbox
from core.outbox.model import Post
from core.people import store as people
from core.sla import store as sla
from core.sla.model import Clock
from core.tickets import queries
from core.tickets import store as tickets

FORMAT = 1
EVENT = ("id", "platform", "lane", "message", "state", "attempts", "error", "due_at", "received_at")
PARCEL = (
    "id", "kind", "lane", "room", "person_id", "ticket_id", "message_id", "slot", "state", "attempts",
    "error", "due_at", "created_at",
)  # fmt: skip


async def everything(tx: Transaction) -> dict[str, Any]:
    """The whole document: every ticket, and what is still on its way in or out or was given up."""
    tickets = [await ticket(tx, number) for number in await queries.all_ids(tx)]
    return {"format": FORMAT, "tickets": tickets, "waiting": await waiting(tx)}


async def waiting(tx: Transaction) -> dict[str, Any]:
    """Events that are not handled and parcels that are not delivered, each by what it is and why it waits,
    without what it says: that stands in the tickets."""
    return {
        "events": [_picked(row, EVENT) for row in await inbox.unhandled(tx)],
        "parcels": [_picked(row, PARCEL) for row in await outbox.undelivered(tx)],
    }


def _picked(row: Any, names: Sequence[str]) -> dict[str, Any]:
    return {name.removesuffix("_id"): plain(getattr(row, name)) for name in names}


async def ticket(tx: Transaction, number: TicketId) -> dict[str, Any]:
    """One ticket with its people, messages, files, timeline, clocks and pings."""
    state = await tickets.get(tx, number)
    requester = await people.get(tx, state.requester)
    asked = await escalation.of_ticket(tx, number)
    messages = []
    for said in await tickets.messages_of(tx, number):
        shown = _shown(await outbox.posts_of_message(tx, said.id))
        attached = [file.id for file in await files.of_message(tx, said.id)]
        messages.append({**plain(said), "files": attached, "delivered": shown})
    return {
        **plain(state),
        "requester_name": requester.name,
        "requester_identities": [str(each) for each in await people.identities_of(tx, requester.id)],
        "company": await tickets.participants_of(tx, number),
        "messages": messages,
        "files": [plain(file) for file in await files.of_ticket(tx, number)],
        "timeline": [plain(event) for event in await tickets.timeline(tx, number)],
        "clocks": [_clock(clock) for clock in (await sla.of_ticket(tx, number)).values()],
        "pings": [
            {**plain(ping), "delivered": _shown(await outbox.posts_of_slot(tx, ping.shown_as))}
            for ping in asked
        ],
    }


def _shown(posts: Sequence[Post]) -> list[dict[str, str]]:
    """Where it stands, by the messenger's own ids."""
    return [{"address": post.address, "message": post.remote} for post in posts]


def _clock(clock: Clock) -> dict[str, Any]:
    """A promise as it runs; of its calendar the name."""
    told = {
        "ticket": clock.ticket,
        "target": clock.target,
        "started_at": clock.started_at,
        "length": clock.promise.length,
        "calendar": clock.promise.calendar.name,
        "pauses": clock.pauses,
        "met_at": clock.met_at,
        "due_at": clock.due_at,
    }
    return {name: plain(value) for name, value in told.items()}


def plain(value: Any) -> Any:
    """A value as JSON holds it; instants in ISO 8601, UTC."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.total_seconds() if hasattr(value, "total_seconds") else value


def write(document: Any, out: TextIO) -> None:
    """One JSON document, escaped to ASCII so that nothing in it can break a terminal or a pipe."""
    json.dump(document, out, indent=2)
    out.write("\n")
