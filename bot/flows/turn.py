"""One turn of a conversation: who did what where, and how to answer, all in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import message as messages
from bot.incoming import Incoming, Pressed, Said, Submitted
from bot.message import Message
from core.database.transaction import Transaction
from core.kernel.ids import Address, Identity, TicketId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import ANSWER, Parcel
from core.people.model import Actor, Person
from core.tickets.catalogue import Catalogue
from core.tickets.model import Ticket


@dataclass(frozen=True, slots=True)
class Turn:
    """What a handler needs. `about` is the ticket in whose thread it happened, in a staff space."""

    tx: Transaction
    incoming: Incoming
    person: Person
    actor: Actor
    about: TicketId | None
    time_zone: str
    direct: Callable[[Identity], Address | None]
    """The private conversation of an account with the desk, where it can be named."""
    files: tuple[str, ...] = ()
    """Those that came with a command, or with the answer to a form's question."""
    asked_in: str | None = None
    """The room of many where something was asked that is answered in private."""
    forms: bool = False
    """A form can open at once for whoever pressed."""
    threads: bool = False
    """In a private conversation every request is a thread of its own."""
    flood: str | None = None
    """Names the flood of words that these are part of."""

    @property
    def press(self) -> str | None:
        """The platform's id of what waits for an answer of its own: a press, a form sent in, a command."""
        what = self.incoming.what
        return what.press if isinstance(what, Pressed | Submitted | Said) else None

    @property
    def catalogue(self) -> Catalogue:
        return self.tx.rule(Catalogue)

    @property
    def room(self) -> str:
        """The conversation, without its thread."""
        return str(self.incoming.where.space)

    @property
    def place(self) -> str:
        """The conversation with its thread: where a dialog stands."""
        return str(self.incoming.where)

    async def beside(self, ticket: Ticket) -> "Turn":
        """The same in the ticket's own thread, where the requester has one for each and is in none."""
        home, where = Address.parse(ticket.home), self.incoming.where
        if not (self.threads and self.incoming.private) or where.thread or home.space != where.space:
            return self
        root = None if home.thread else await posts.root_of(self.tx, self.room, ticket.id)
        there = replace(where, thread=home.thread or (root.remote if root else None))
        return replace(self, incoming=replace(self.incoming, where=there))

    def apart(self) -> "Turn":
        """The same in the person's own conversation, so that nobody else reads the answer."""
        home = self.direct(self.incoming.sender.identity)
        if home is None or self.incoming.private or self.room in self.catalogue.by_space:
            return self
        incoming = replace(self.incoming, where=home, private=True)
        return replace(self, incoming=incoming, about=None, asked_in=self.room)

    async def tell(
        self,
        message: Message,
        *,
        slot: str | None = None,
        only: bool | None = None,
        retract: bool = False,
        below: str | None = None,
    ) -> None:
        """Answer where the person is; in a room with others, for their eyes alone unless `only` is false.

        `below`: in the thread of that message, or the one it stands in, where the messenger has threads
        everywhere."""
        alone = self.incoming.private
        hidden = not alone if only is None else only and not alone
        plain = slot is None and not retract and only is not False
        press = self.press if plain and self._answers(message, hidden) else None
        facts: dict[str, Any] = {"message": messages.to_facts(message)}
        if self.asked_in is not None:
            facts["asked_in"] = self.asked_in
        if press is not None:
            facts["press"] = press
            slot = f"press:{press}"
        await outbox.put(
            self.tx,
            Parcel(
                "message",
                facts,
                room=self._there(below),
                person=self.person.id,
                ticket=self.about or ticket_of(message),
                thread=self.about is not None,
                slot=slot,
                only=str(self.incoming.sender.identity) if hidden or press else None,
                retract=retract,
                urgency=ANSWER,
            ),
        )

    def _answers(self, message: Message, hidden: bool) -> bool:
        """Whether the press itself is told: a form, what nobody else may read, what a command gave."""
        own = message.form is not None or message.field is not None
        return hidden or own or isinstance(self.incoming.what, Said)

    def _there(self, below: str | None) -> str:
        if below is not None and self.threads:
            return str(replace(self.incoming.where, thread=self.incoming.where.thread or below))
        return self.place if self.incoming.private else self.room


def ticket_of(message: Message) -> TicketId | None:
    """The ticket a message is about."""
    return None if message.ticket is None else TicketId(message.ticket)
