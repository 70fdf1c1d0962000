"""Who may do what to whose ticket: every action against every relation, the expectation written down by hand.

The rows are everything that can be done to a ticket, the columns are who tries it:

    requester  their own ticket, no staff role          agent      serves the ticket's queue
    stranger   another's ticket, no staff role          outsider   an agent of another queue
    lead       leads the ticket's queue                 foreman    a lead of another queue
    admin      serves everything                        both       an agent of another queue, their own ticket
    owner      an agent of the queue, their own ticket  desk       the desk itself
    colleague  no staff role, with whom the requester shares the ticket

    +  may      -  may not, and is told so      ?  may not even know that there is such a ticket
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bot import i18n
from bot.flows import phrases
from core.database.engine import Database
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.feedback import actions as feedback
from core.files import actions as files
from core.files.model import Kept
from core.kernel.errors import Forbidden, UserError
from core.kernel.ids import Address, FileId, Identity, MessageId, TicketId
from core.people import store as people
from core.people.model import DESK, Actor, Person, Right, Role, may
from core.tickets import actions as tickets
from core.tickets import company, doors, homes, merging, queries
from core.tickets import store as ticket_store
from core.tickets.catalogue import Level, Priority
from tests.town import town as opened

TOML = """
[[queues]]
name = "network"
[[queues]]
name = "support"
[[request_types]]
name = "network"
title = "Network"
queue = "network"
"""
PEOPLE = {
    "requester": (("requester",), ()),
    "stranger": (("requester",), ()),
    "agent": (("agent",), ("network",)),
    "outsider": (("agent",), ("support",)),
    "lead": (("lead",), ("network",)),
    "foreman": (("lead",), ("support",)),
    "admin": (("admin",), ()),
    "both": (("agent",), ("support",)),
    "owner": (("agent", "requester"), ("network",)),
    "boris": (("agent",), ("network",)),
    "colleague": (("requester",), ()),
}
WHO = (
    "requester", "stranger", "agent", "outsider", "lead", "foreman", "admin", "both", "owner", "desk",
    "colleague",
)  # fmt: skip
OWN = ("requester", "both", "owner")
"""Whose own ticket it is; everybody else tries that of the requester."""

MATRIX = """
                 requester stranger agent outsider lead foreman admin both owner desk colleague
see              +         ?        +     ?        +    ?       +     +    +     +    +
say              +         ?        +     ?        +    ?       +     +    +     .    +
log              +         ?        +     ?        +    ?       +     +    +     .    +
hush             +         ?        +     ?        +    ?       +     +    +     .    +
react            +         ?        +     ?        +    ?       +     +    +     .    +
edit_message     +         ?        .     ?        .    ?       .     +    +     .    .
note_deletion    +         ?        .     ?        .    ?       .     +    +     .    .
move_away        +         ?        .     ?        .    ?       .     +    +     .    .
confirm          +         ?        -     ?        -    ?       -     +    +     +    -
ask              +         ?        -     ?        -    ?       -     +    +     +    -
rate             +         ?        -     ?        -    ?       -     +    +     +    -
comment          +         ?        -     ?        -    ?       -     +    +     +    -
reopen           +         ?        +     ?        +    ?       +     +    +     +    +
take             -         ?        +     ?        +    ?       +     -    +     /    -
release          -         ?        +     ?        +    ?       +     -    +     +    -
pass_to          -         ?        +     ?        +    ?       +     -    +     +    -
reply            -         ?        +     ?        +    ?       +     -    +     .    -
note             -         ?        +     ?        +    ?       +     -    +     .    -
withdraw         -         ?        .     ?        .    ?       .     -    .     .    -
wait             -         ?        +     ?        +    ?       +     -    +     +    -
hold             -         ?        +     ?        +    ?       +     -    +     +    -
resume           -         ?        +     ?        +    ?       +     -    +     +    -
resolve          -         ?        +     ?        +    ?       +     -    +     +    -
prioritise       -         ?        +     ?        +    ?       +     -    +     +    -
set_level        -         ?        +     ?        +    ?       +     -    +     +    -
promise          -         ?        +     ?        +    ?       +     -    +     +    -
snooze           -         ?        +     ?        +    ?       +     -    +     +    -
still_working    -         ?        .     ?        .    ?       .     -    .     .    -
close            -         ?        +     ?        +    ?       +     -    +     +    -
requeue          -         ?        +     ?        +    ?       +     -    +     +    -
tell_undelivered -         ?        +     ?        +    ?       +     -    +     +    -
rehome           +         ?        +     ?        +    ?       +     +    +     +    -
add              +         ?        +     ?        +    ?       +     +    +     +    -
remove           +         ?        +     ?        +    ?       +     +    +     +    +
watch            -         ?        +     ?        +    ?       +     -    .     /    -
merge            -         ?        +     ?        +    ?       +     -    +     +    -
unmerge          -         ?        +     ?        +    ?       +     -    +     +    -
relate           -         ?        +     ?        +    ?       +     -    +     +    -
unrelate         -         ?        +     ?        +    ?       +     -    +     +    -
split            -         ?        +     ?        +    ?       +     -    +     /    -
file             +         ?        +     ?        +    ?       +     +    +     .    +
file_of_note     -         ?        +     ?        +    ?       +     -    +     .    -
find             +         ?        +     ?        +    ?       +     +    +     .    +
"""
"""A dot: allowed by right, but nothing of their own is there to do it to. A slash: makes no sense."""

HEAD, *ROWS = [line.split() for line in MATRIX.strip().splitlines()]
CELLS = [(row[0], who, cell) for row in ROWS for who, cell in zip(HEAD, row[1:], strict=True) if cell != "/"]


class _Undone(Exception):
    """Nothing of it shall stay."""


Deed = Callable[[Transaction, Actor, "Case"], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Case:
    """The requester's ticket, taken by Boris, with a message, a reply, a note and a file of each side."""

    ticket: TicketId
    message: MessageId
    reply: MessageId
    files: Mapping[str, str]
    boris: Person
    colleague: Person


def simply(action: Callable[..., Awaitable[object]], *args: object) -> Deed:
    return lambda tx, actor, case: action(tx, actor, case.ticket, *args)


def once(before: str, deed: Deed) -> Deed:
    """The deed, once Boris or the requester has brought the ticket to where it can be done."""

    async def work(tx: Transaction, actor: Actor, case: Case) -> object:
        ticket = await ticket_store.get(tx, case.ticket)
        requester = Actor(await people.get(tx, ticket.requester), "web")
        staff = Actor(case.boris, "web")
        if before in ("resolved", "closed"):
            await tickets.resolve(tx, staff, case.ticket)
        if before == "closed":
            await tickets.confirm(tx, requester, case.ticket)
        if before == "waiting":
            await tickets.wait(tx, staff, case.ticket)
        if before == "free":
            await tickets.release(tx, staff, case.ticket)
        return await deed(tx, actor, case)

    return work


async def find(tx: Transaction, actor: Actor, case: Case) -> object:
    found = await queries.find(tx, actor, "vpn")
    if case.ticket not in {ticket.id for ticket in found}:
        raise UserError("ticket.unknown", ticket=case.ticket)
    return found


def file(kind: str) -> Deed:
    async def work(tx: Transaction, actor: Actor, case: Case) -> object:
        try:
            return await queries.file_for(tx, actor, case.files[kind])
        except LookupError:
            seen = await doors.seen(tx, actor, case.ticket)
            raise Forbidden("right.work", ticket=seen.id) from None

    return work


def with_another(action: Callable[..., Awaitable[object]], queue: str = "network") -> Deed:
    """With a ticket of Boris, in that queue."""

    async def work(tx: Transaction, actor: Actor, case: Case) -> object:
        return await action(tx, actor, case.ticket, await _another(tx, case, queue))

    return work


async def _another(tx: Transaction, case: Case, queue: str) -> TicketId:
    more = {"type_name": "network", "text": "it too", "priority": Priority.LOW, "home": "web:u-x"}
    other = await tickets.open_ticket(tx, Actor(case.boris, "web"), queue=queue, **more)  # type: ignore[arg-type]
    return other.id


async def unmerge(tx: Transaction, actor: Actor, ticket: TicketId, other: TicketId) -> object:
    await merging.merge(tx, DESK, ticket, other)
    return await merging.unmerge(tx, actor, ticket)


async def unmerge_of_a_chain(tx: Transaction, actor: Actor, ticket: TicketId, other: TicketId) -> object:
    """What the ticket goes on as goes on as the other itself."""
    asking = Actor((await people.get(tx, (await ticket_store.get(tx, ticket)).requester)), "web")
    between = await tickets.open_ticket(
        tx, asking, type_name="network", text="so is it", priority=Priority.LOW, home="web:u-x"
    )
    await merging.merge(tx, DESK, ticket, between.id)
    await merging.merge(tx, DESK, between.id, other)
    return await merging.unmerge(tx, actor, ticket)


async def unrelate(tx: Transaction, actor: Actor, ticket: TicketId, other: TicketId) -> object:
    await merging.relate(tx, DESK, ticket, other)
    return await merging.unrelate(tx, actor, ticket, other)


DEEDS: Mapping[str, Deed] = {
    "add": lambda tx, actor, case: company.add(tx, actor, case.ticket, case.boris.id),
    "remove": lambda tx, actor, case: company.remove(tx, actor, case.ticket, case.colleague.id),
    "watch": simply(company.watch),
    "merge": with_another(merging.merge),
    "unmerge": with_another(unmerge),
    "unrelate": with_another(unrelate),
    "relate": with_another(merging.relate),
    "split": lambda tx, actor, case: merging.split(tx, actor, case.ticket, case.message),
    "see": simply(doors.seen),
    "say": simply(tickets.say, "words"),
    "log": simply(tickets.log, "words"),
    "hush": simply(tickets.hush),
    "react": lambda tx, actor, case: tickets.react(tx, actor, case.ticket, case.reply, "👍"),
    "edit_message": lambda tx, actor, case: tickets.edit_message(
        tx,
        actor,
        case.ticket,
        case.message,
        "other words",
    ),
    "note_deletion": lambda tx, actor, case: tickets.note_deletion(tx, actor, case.ticket, case.message),
    "move_away": lambda tx, actor, case: tickets.move_away(
        tx,
        actor,
        case.ticket,
        case.message,
        case.ticket,
    ),
    "confirm": once("resolved", simply(tickets.confirm)),
    "ask": once("closed", simply(feedback.ask)),
    "rate": once("closed", simply(feedback.rate, 4)),
    "comment": once("closed", simply(feedback.comment, "words")),
    "reopen": once("closed", simply(tickets.reopen)),
    "take": once("free", simply(tickets.take)),
    "release": simply(tickets.release),
    "pass_to": once("free", lambda tx, actor, case: tickets.pass_to(tx, actor, case.ticket, case.boris.id)),
    "reply": simply(tickets.reply, "words"),
    "note": simply(tickets.note, "words"),
    "withdraw": lambda tx, actor, case: tickets.withdraw(
        tx,
        actor,
        case.ticket,
        case.reply,
    ),
    "wait": simply(tickets.wait),
    "hold": simply(tickets.hold, None),
    "resume": once("waiting", simply(tickets.resume)),
    "resolve": simply(tickets.resolve),
    "prioritise": simply(tickets.prioritise, Priority.LOW),
    "set_level": simply(tickets.set_level, Level.L3),
    "promise": once("free", simply(escalation.promise)),
    "snooze": once("free", simply(escalation.snooze)),
    "still_working": simply(escalation.still_working),
    "close": once("resolved", simply(tickets.close)),
    "requeue": simply(tickets.requeue, "support"),
    "tell_undelivered": simply(tickets.tell_undelivered, None, "blocked"),
    "rehome": simply(homes.rehome, Address("telegram", "7")),
    "file": file("request"),
    "file_of_note": file("note"),
    "find": find,
}


@dataclass(frozen=True, slots=True)
class Bench:
    """A desk with everybody, and one ticket for each whose own it must be."""

    database: Database
    actors: Mapping[str, Actor]
    cases: Mapping[str, Case]

    def case(self, who: str) -> Case:
        return self.cases[who if who in OWN else "requester"]

    async def verdict(self, deed: Deed, who: str, case: Case) -> UserError | None:
        """What comes of it; nothing of it stays."""

        async def work(tx: Transaction) -> UserError | None:
            caught: UserError | None = None
            try:
                async with tx.savepoint():
                    try:
                        await deed(tx, self.actors[who], case)
                    except UserError as error:
                        caught = error
                    raise _Undone
            except _Undone:
                pass
            return caught

        return await self.database.write(work)


def _config() -> str:
    return TOML + "".join(
        f'[[people]]\nname = "{name.title()}"\nidentities = ["web:{name}"]\n'
        f"roles = {list(roles)!r}\nqueues = {list(queues)!r}\n"
        for name, (roles, queues) in PEOPLE.items()
    )


async def _case(tx: Transaction, requester: Actor, boris: Actor, colleague: Person) -> Case:
    assert requester.person is not None
    assert boris.person is not None
    kept = {}
    for side, actor in (("request", requester), ("note", boris)):
        assert actor.person is not None
        file_id = FileId(f"{side}-{requester.person.id}")
        await files.add(tx, Kept(file_id, 1, ""), name="x", mime="x/x", owner=actor.person.id)
        kept[side] = file_id
    ticket = await tickets.open_ticket(
        tx,
        requester,
        type_name="network",
        text="VPN",
        priority=Priority.CRITICAL,
        home=f"web:u-{requester.person.id}",
        file_ids=[kept["request"]],
    )
    await tickets.take(tx, boris, ticket.id)
    message = await tickets.say(tx, requester, ticket.id, "words")
    reply = await tickets.reply(tx, boris, ticket.id, "words")
    await tickets.note(tx, boris, ticket.id, "words", file_ids=[kept["note"]])
    await company.add(tx, requester, ticket.id, colleague.id)
    return Case(ticket.id, message, reply, kept, boris.person, colleague)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened(tmp_path, _config()) as town:

        async def set_up(tx: Transaction) -> Bench:
            actors = {"desk": DESK}
            for name in PEOPLE:
                person = await people.by_identity(tx, Identity("web", name))
                assert person is not None
                actors[name] = Actor(person, "web")
            colleague = actors["colleague"].person
            assert colleague is not None
            cases = {name: await _case(tx, actors[name], actors["boris"], colleague) for name in OWN}
            return Bench(town.database, actors, cases)

        yield await town.database.write(set_up)


def told(error: UserError, language: str) -> str:
    return i18n.word(phrases.error(error), language, time_zone="UTC", now=_NOW)


_NOW = datetime(2026, 3, 2, tzinfo=UTC)


def sign(error: UserError | None) -> str:
    """The verdict as the table writes it."""
    if error is None:
        return "+"
    if isinstance(error, Forbidden):
        return "-"
    return "?" if error.key == "ticket.unknown" else "."


async def test_everybody_may_do_what_the_table_says_and_nothing_else(bench: Bench) -> None:
    found = [
        (action, who, sign(await bench.verdict(DEEDS[action], who, bench.case(who))))
        for action, who, _ in CELLS
    ]
    wrong = [
        f"{action} by {who}: {is_} instead of {ought}"
        for (action, who, is_), (_, _, ought) in zip(found, CELLS, strict=True)
        if is_ != ought and not (ought == "." and is_ == "+")
    ]
    assert wrong == []


@pytest.mark.parametrize("action", [merging.merge, unmerge, unmerge_of_a_chain, merging.relate, unrelate])
async def test_what_changes_two_tickets_is_for_those_who_work_on_both(
    bench: Bench, action: Callable[..., Awaitable[object]]
) -> None:
    case = bench.cases["requester"]
    for queue, may_do in (("network", {"agent", "lead", "admin", "desk"}), ("support", {"admin", "desk"})):
        for who in ("agent", "lead", "outsider", "foreman", "admin", "desk"):
            refused = await bench.verdict(with_another(action, queue), who, case)
            assert sign(refused) == ("+" if who in may_do else "?"), (queue, who)


@pytest.mark.parametrize("language", i18n.languages)
async def test_a_hidden_ticket_and_none_are_answered_in_the_same_words(bench: Bench, language: str) -> None:
    hidden = bench.cases["requester"]
    nowhere = replace(hidden, ticket=TicketId(4711))
    for action in DEEDS:
        for who in ("stranger", "outsider", "foreman"):
            if action.startswith("fi"):
                continue  # a search tells nothing, and a file has no number
            first = await bench.verdict(_alone(action), who, hidden)
            second = await bench.verdict(_alone(action), who, nowhere)
            assert first is not None
            assert second is not None
            assert type(first) is type(second), action
            assert told(first, language).replace(f"#{hidden.ticket}", "#4711") == told(second, language), (
                action
            )


async def test_a_hidden_file_and_none_are_answered_alike(bench: Bench) -> None:
    for who in ("stranger", "outsider", "foreman"):
        for name in (*bench.cases["requester"].files.values(), "nothing"):
            with pytest.raises(LookupError, match="no such file"):
                await bench.database.read(
                    lambda tx, who=who, name=name: queries.file_for(tx, bench.actors[who], name)  # type: ignore[misc]
                )


def _alone(action: str) -> Deed:
    """The deed alone: what is not there cannot be brought anywhere."""
    alone: Mapping[str, Deed] = {
        "confirm": simply(tickets.confirm),
        "ask": simply(feedback.ask),
        "rate": simply(feedback.rate, 4),
        "comment": simply(feedback.comment, "words"),
        "reopen": simply(tickets.reopen),
        "take": simply(tickets.take),
        "pass_to": simply(tickets.pass_to, 1),
        "resume": simply(tickets.resume),
        "promise": simply(escalation.promise),
        "snooze": simply(escalation.snooze),
        "close": simply(tickets.close),
        "unmerge": simply(merging.unmerge),
        "unrelate": with_another(merging.unrelate),
    }
    return alone.get(action, DEEDS[action])


@pytest.mark.parametrize("module", [tickets, feedback, escalation, company, merging])
def test_the_table_leaves_no_action_out(module: ModuleType) -> None:
    guarded = {
        name
        for name, action in vars(module).items()
        if hasattr(action, "__wrapped__") and action.__module__ == module.__name__
    }
    assert guarded
    assert guarded <= DEEDS.keys()


async def test_the_one_function_that_decides_agrees_with_the_table(bench: Bench) -> None:
    rows = {
        Right.SEE: "see",
        Right.SPEAK: "say",
        Right.JUDGE: "confirm",
        Right.INVITE: "add",
        Right.WORK: "release",
    }
    cells = {(action, who): cell for action, who, cell in CELLS}
    for who in WHO:
        number = bench.case(who).ticket
        ticket = await bench.database.read(partial(ticket_store.get, ticket_id=number))
        for right, row in rows.items():
            shared = await bench.database.read(partial(doors.colleagues, ticket_id=number))
            whose = {"requester": ticket.requester, "queue": ticket.queue, "company": shared}
            allowed = may(bench.actors[who], right, **whose)  # type: ignore[arg-type]
            assert allowed is (cells[row, who] in "+."), (who, right)


async def test_anybody_may_open_a_ticket_but_the_desk_opens_none(bench: Bench) -> None:
    def opening(tx: Transaction, actor: Actor, case: Case) -> Awaitable[Any]:
        return tickets.open_ticket(
            tx, actor, type_name="network", text="x", priority=Priority.LOW, home="web:u-x"
        )

    for who in PEOPLE:
        assert await bench.verdict(opening, who, bench.cases["requester"]) is None
    with pytest.raises(LookupError):
        await bench.verdict(opening, "desk", bench.cases["requester"])


async def test_a_queue_is_listed_for_those_who_serve_it(bench: Bench) -> None:
    serving = {"agent", "lead", "admin", "owner", "boris"}
    for who in PEOPLE:
        found = await bench.database.read(partial(queries.queue, actor=bench.actors[who]))
        assert bool(found) is (who in serving), who


def test_a_member_of_staff_without_the_role_of_agent_serves_by_their_queues_alone() -> None:
    lead = Person(1, "L", "en", frozenset({Role.LEAD}), ("network",))  # type: ignore[arg-type]
    assert (lead.serves("network"), lead.serves("support")) == (True, False)
    requester = Person(1, "R", "en", frozenset({Role.REQUESTER}), ("network",))  # type: ignore[arg-type]
    assert not requester.serves("network")
    assert not requester.leads("network")
