"""A ticket goes on in another messenger of its requester: at their wish, or as nothing else gets through."""

from bot import codes
from bot.flows import phrases
from bot.flows.turn import Turn
from bot.message import Choice, Fact, Message, Paragraph, Plain, Words
from core import reactions
from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import Address, MessageId, PersonId, TicketId
from core.outbox import store as posts
from core.people import reach
from core.people import store as people
from core.people.model import Right
from core.people.reach import Ways
from core.tickets import doors, homes
from core.tickets import store as tickets
from core.tickets.model import Status, Ticket

OFFERED = 5
"""So many tickets of a list can be continued elsewhere from it."""


async def _others(tx: Transaction, ticket: Ticket, but: str) -> list[str]:
    """The connected messengers in which the requester has an account, all but one; the likeliest first."""
    person, ways = await people.get(tx, ticket.requester), tx.rule(Ways)
    accounts = await people.accounts_of(tx, person.id)
    ordered = reach.order(person.reach, accounts, ways.local(tx.now))
    platforms = dict.fromkeys(identity.platform for identity in ordered)
    return [platform for platform in platforms if platform in ways.platforms and platform != but]


async def _conversation(turn: Turn, person: PersonId, platform: str) -> Address | None:
    """Where this person and the desk are alone in that messenger."""
    for identity in await people.identities_of(turn.tx, person):
        if identity.platform == platform and (direct := turn.direct(identity)) is not None:
            return direct
    return None


# ---- at the requester's wish


async def rows(turn: Turn, *mine: Ticket, numbered: bool = False) -> tuple[tuple[Choice, ...], ...]:
    """Buttons to go on in other messengers with these tickets, as far as they are this person's own."""
    open_still = [
        ticket for ticket in mine if ticket.requester == turn.person.id and ticket.status is not Status.CLOSED
    ]
    found = []
    for ticket in open_still[:OFFERED]:
        buttons = [
            _continue_button(ticket, platform, numbered=numbered)
            for platform in await _others(turn.tx, ticket, but=_platform(ticket))
        ]
        found.append(tuple(buttons))
    return tuple(row for row in found if row)


def _platform(ticket: Ticket) -> str:
    return ticket.home.partition(":")[0]


def _continue_button(ticket: Ticket, platform: str, *, numbered: bool) -> Choice:
    key = "button.continue_number" if numbered else "button.continue"
    facts: dict[str, Fact] = {"ticket": ticket.id, "home": phrases.via(platform)}
    return Choice(codes.code("w", "go", ticket.id, platform), Words(key, facts))


async def go_on(turn: Turn, number: TicketId, platform: str) -> None:
    """The requester goes on there; what they write there belongs to the ticket from now on."""
    ticket = await doors.allowed(turn.tx, turn.actor, number, Right.JUDGE)
    here = turn.incoming.where.space if turn.incoming.private else None
    there = await _conversation(turn, ticket.requester, platform)
    if here is not None and here.platform == platform:
        there = here
    if there is None or ticket.status is Status.CLOSED:
        raise UserError("press.over")
    moved = await homes.rehome(turn.tx, turn.actor, number, there)
    await dialogs.turn_to(turn.tx, moved.home, turn.person.id, number)
    if turn.room not in (home.partition("#")[0] for home in (ticket.home, moved.home)):
        title, home = Plain(ticket.title), phrases.via(platform)
        told: dict[str, Fact] = {"ticket": number, "title": title, "home": home}
        await turn.tell(Message((Paragraph(Words("told.moved_on", told)),), ticket=number))


async def tell_where(turn: Turn, ticket: Ticket) -> None:
    """Somebody writes where the ticket is not at home any more: once they are told where answers come."""
    home = Address.parse(ticket.home)
    if turn.room == str(home.space) or not turn.incoming.private:
        return
    facts: dict[str, Fact] = {"ticket": ticket.id, "home": phrases.via(home.platform)}
    here = codes.code("w", "go", ticket.id, turn.incoming.where.platform)
    rows = ((Choice(here, Words("button.continue_here")),),)
    told = Message(
        (Paragraph(Words("told.answers_come", facts), "quiet"),), rows, tone="hint", ticket=ticket.id
    )
    await turn.tell(told, slot=f"away:{ticket.id}:{home.space}")


# ---- because nothing else gets through


async def ways_left(tx: Transaction, ticket: Ticket, undelivered: Event) -> tuple[tuple[Choice, ...], ...]:
    """Buttons to send a reply through the requester's other messengers; none once it is on its way."""
    number = undelivered.facts["message"]
    said = await tickets.message(tx, MessageId(number)) if number else None
    if said is None or said.withdrawn_at is not None or await posts.rooms_of(tx, f"reply:{said.id}"):
        return ()
    failed = undelivered.facts.get("where") or _platform(ticket)
    buttons = [
        Choice(
            codes.code("w", "through", ticket.id, said.id, platform),
            Words("button.send_through", {"home": phrases.via(platform)}),
        )
        for platform in await _others(tx, ticket, but=failed)
    ]
    return (tuple(buttons),) if buttons else ()


async def send_through(turn: Turn, number: TicketId, message: MessageId, platform: str) -> None:
    """The reply that did not get through goes there, and so does everything that follows it."""
    ticket = await doors.allowed(turn.tx, turn.actor, number, Right.WORK)
    said = await tickets.message(turn.tx, message)
    if said is None or said.ticket != number or said.kind != "reply" or said.withdrawn_at is not None:
        raise UserError("press.over")
    if await posts.rooms_of(turn.tx, f"reply:{message}"):
        raise UserError("reply.sent_already")
    there = await _conversation(turn, ticket.requester, platform)
    if there is None:
        raise UserError("press.over")
    if _platform(ticket) != platform:
        ticket = await homes.rehome(turn.tx, turn.actor, number, there)
        await dialogs.turn_to(turn.tx, ticket.home, ticket.requester, number)
    await reactions.send_again(turn.tx, ticket, message)
