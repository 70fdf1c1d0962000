"""The forms of the desk, each defined once: what it asks and which action it feeds."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot import codes
from bot.flows import company, phrases, when
from bot.flows.turn import Turn
from bot.incoming import Said
from bot.message import Form, Input, Option, Plain, Words
from core.escalation import actions as escalation
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.people import store as people
from core.people.model import Person
from core.tickets import actions as tickets
from core.tickets import doors, priorities
from core.tickets.catalogue import Impact, Level, Priority
from core.tickets.model import Ticket

Values = Mapping[str, str]
EVERYBODY = "everybody"
"""Instead of a priority: everybody is affected, and the matrix says what follows."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A form: its fields for a ticket, and what happens once it is filled in."""

    fields: Callable[[Ticket, list[Person]], tuple[Input, ...]]
    submit: Callable[[Turn, TicketId, Values], Awaitable[object]]


def _words(name: str, *, required: bool, hint: str | None = None) -> Input:
    label = Words(f"form.{name}")
    return Input(name, label, required=required, long=True, hint=Words(f"form.{hint}") if hint else None)


def _one_text(name: str, *, required: bool) -> Callable[[Ticket, list[Person]], tuple[Input, ...]]:
    return lambda ticket, staff: (_words(name, required=required),)


def _pass(ticket: Ticket, staff: list[Person]) -> tuple[Input, ...]:
    options = tuple(
        Option(str(person.id), Plain(person.name))
        for person in staff
        if person.serves(ticket.queue) and person.id != ticket.owner
    )
    to = Input("to", Words("form.to"), kind="choice", options=options)
    return to, _words("handover", required=False)


def _priority(ticket: Ticket, staff: list[Person]) -> tuple[Input, ...]:
    options = tuple(Option(each, phrases.priority(each)) for each in Priority if each is not ticket.priority)
    if ticket.priority is not Priority.CRITICAL:
        options = (*options, Option(EVERYBODY, Words("form.everybody")))
    choice = Input("priority", Words("form.priority"), kind="choice", options=options)
    return choice, _words("reason", required=False)


def _level(ticket: Ticket, staff: list[Person]) -> tuple[Input, ...]:
    options = tuple(Option(each, Plain(each)) for each in Level if each is not ticket.level)
    choice = Input("level", Words("form.level"), kind="choice", options=options)
    return choice, _words("handover", required=False)


def _hold(ticket: Ticket, staff: list[Person]) -> tuple[Input, ...]:
    until = Input("until", Words("form.until"), required=False, hint=Words("form.until_hint"))
    return until, _words("note", required=False)


def _snooze(ticket: Ticket, staff: list[Person]) -> tuple[Input, ...]:
    return (Input("length", Words("form.length"), hint=Words("form.length_hint")),)


async def _do_reply(turn: Turn, ticket: TicketId, values: Values) -> None:
    source = _source(turn)
    await tickets.reply(turn.tx, turn.actor, ticket, values["text"], file_ids=turn.files, source=source)


async def _do_note(turn: Turn, ticket: TicketId, values: Values) -> None:
    source = _source(turn) if turn.incoming.where.thread else None  # else nobody would see where it belongs
    await tickets.note(turn.tx, turn.actor, ticket, values["note"], file_ids=turn.files, source=source)
    await company.offer(turn, ticket, values["note"])


def _source(turn: Turn) -> tuple[str, str] | None:
    """The message that answered the question, so that an edit there is followed."""
    what = turn.incoming.what
    return (turn.room, what.message) if isinstance(what, Said) else None


async def _do_wait(turn: Turn, ticket: TicketId, values: Values) -> None:
    await tickets.wait(turn.tx, turn.actor, ticket, values.get("question", ""))


async def _do_resolve(turn: Turn, ticket: TicketId, values: Values) -> None:
    await tickets.resolve(turn.tx, turn.actor, ticket, values.get("solution", ""))


async def _do_release(turn: Turn, ticket: TicketId, values: Values) -> None:
    await tickets.release(turn.tx, turn.actor, ticket, values.get("handover", ""))


async def _do_pass(turn: Turn, ticket: TicketId, values: Values) -> None:
    whom = [person.id for person in await people.staff(turn.tx) if str(person.id) == values["to"]]
    if not whom:
        raise UserError("form.choose")
    await tickets.pass_to(turn.tx, turn.actor, ticket, whom[0], values.get("handover", ""))


async def _do_priority(turn: Turn, ticket: TicketId, values: Values) -> None:
    reason = values.get("reason", "")
    if values["priority"] == EVERYBODY:
        await priorities.affect(turn.tx, turn.actor, ticket, Impact.HIGH, reason)
        return
    priority = Priority(_one_of(values["priority"], Priority))
    await tickets.prioritise(turn.tx, turn.actor, ticket, priority, reason)


async def _do_level(turn: Turn, ticket: TicketId, values: Values) -> None:
    level = Level(_one_of(values["level"], Level))
    await tickets.set_level(turn.tx, turn.actor, ticket, level, values.get("handover", ""))


async def _do_hold(turn: Turn, ticket: TicketId, values: Values) -> None:
    until = values.get("until", "").strip()
    at = when.instant(until, turn.tx.now, turn.time_zone) if until else None
    await tickets.hold(turn.tx, turn.actor, ticket, at, values.get("note", ""))


async def _do_snooze(turn: Turn, ticket: TicketId, values: Values) -> None:
    await escalation.snooze(turn.tx, turn.actor, ticket, when.length(values["length"]))


def _one_of(value: str, allowed: type[Priority] | type[Level]) -> str:
    if value not in tuple(allowed):
        raise UserError("form.choose")
    return value


FORMS: Mapping[str, Shape] = {
    "reply": Shape(_one_text("text", required=True), _do_reply),
    "note": Shape(_one_text("note", required=True), _do_note),
    "wait": Shape(_one_text("question", required=False), _do_wait),
    "resolve": Shape(_one_text("solution", required=False), _do_resolve),
    "release": Shape(_one_text("handover", required=False), _do_release),
    "pass": Shape(_pass, _do_pass),
    "priority": Shape(_priority, _do_priority),
    "level": Shape(_level, _do_level),
    "hold": Shape(_hold, _do_hold),
    "snooze": Shape(_snooze, _do_snooze),
}


def form(name: str, ticket: Ticket, staff: list[Person]) -> Form:
    """The form of this name for this ticket."""
    title = Words(f"form.{name}_title", {"ticket": ticket.id})
    submit = Words(f"form.{name}_submit")
    return Form(codes.code("f", name, ticket.id), title, FORMS[name].fields(ticket, staff), submit)


async def build(turn: Turn, name: str, ticket: Ticket) -> Form:
    return form(name, ticket, await people.staff(turn.tx))


async def submit(turn: Turn, name: str, ticket: TicketId, values: Values) -> None:
    """Do what the form was for. Raises UserError naming what is still missing."""
    if name not in FORMS:
        raise UserError("press.stale")
    seen = await doors.seen(turn.tx, turn.actor, ticket)
    fields = FORMS[name].fields(seen, await people.staff(turn.tx))
    for field in fields:
        filled = values.get(field.name, "").strip() or (field.long and turn.files)
        if field.required and not filled:
            raise UserError("form.missing", field=field.name)
    await FORMS[name].submit(turn, ticket, values)
