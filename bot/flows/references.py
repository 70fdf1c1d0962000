"""`#17` in somebody's words: a line about that ticket for whoever may see it, nothing for anybody else."""

import re
from collections.abc import Collection

from bot.flows import phrases, story
from bot.message import Paragraph, Several, Text, Words
from core.database.transaction import Transaction
from core.kernel.ids import PersonId, TicketId
from core.people import store as people
from core.tickets import company
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue
from core.tickets.model import Ticket

NUMBER = re.compile(r"(?<![\w#&/])#(\d{1,9})(?!\w)")
LINES = 5


async def for_staff(tx: Transaction, text: str, spaces: Collection[str], here: TicketId) -> list[Paragraph]:
    """The tickets that everybody who reads in all of these spaces works on."""
    shown = [set(tx.rule(Catalogue).by_space.get(space, ())) for space in spaces]
    queues = set.intersection(*shown) if shown else set()
    found = [ticket for ticket in await _named(tx, text, here) if ticket.queue in queues]
    return [await _for_staff(tx, ticket) for ticket in found]


async def for_person(tx: Transaction, text: str, reader: PersonId, here: TicketId) -> list[Paragraph]:
    """The tickets that are the reader's own or shared with them, and those they work on."""
    person, lines = await people.get(tx, reader), []
    for ticket in await _named(tx, text, here):
        if person.serves(ticket.queue):
            lines.append(await _for_staff(tx, ticket))
        elif await company.belongs(tx, ticket, reader):
            lines.append(await _line(tx, ticket, Words(f"turn.{ticket.status}")))
    return lines


async def _named(tx: Transaction, text: str, here: TicketId) -> list[Ticket]:
    numbers = list(dict.fromkeys(int(number) for number in NUMBER.findall(text)))
    found = [await tickets.find(tx, TicketId(number)) for number in numbers if number != here]
    return [ticket for ticket in found if ticket is not None][:LINES]


async def _for_staff(tx: Transaction, ticket: Ticket) -> Paragraph:
    return await _line(tx, ticket, phrases.status(ticket.status))


async def _line(tx: Transaction, ticket: Ticket, state: Text) -> Paragraph:
    """`#17 VPN drops · waiting · Anna`."""
    owner = (await story.name(tx, ticket.owner),) if ticket.owner else ()
    return Paragraph(Several((phrases.heading(ticket), state, *owner)), "quiet")
