"""One turn of a conversation: who did what where, and how to answer, all in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot import message as messages
from bot.incoming import Incoming, Pressed
from bot.message import Message
from core.database.transaction import Transaction
from core.kernel.ids import Address, Identity, TicketId
from core.outbox import actions as outbox
from core.outbox.model import ANSWER, Parcel
from core.people.model import Actor, Person
from core.tickets.catalogue import Catalogue


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

    def apart(self) -> "Turn":
        """The same in the person's own conversation, so that nobody else reads the answer."""
        home = self.direct(self.incoming.sender.identity)
        if home is None or self.incoming.private or self.room in self.catalogue.by_space:
            return self
        incoming = replace(self.incoming, where=home, private=True)
        return replace(self, incoming=incoming, about=None, asked_in=self.room)

    async def tell(
        self, message: Message, *, slot: str | None = None, only: bool | None = None, retract: bool = False
    ) -> None:
        """Answer where the person is; in a room with others, for their eyes alone unless `only` is false."""
        alone = self.incoming.private
        press = self.incoming.what.press if isinstance(self.incoming.what, Pressed) else None
        hidden = not alone if only is None else only and not alone
        facts: dict[str, Any] = {"message": messages.to_facts(message)}
        if self.asked_in is not None:
            facts["asked_in"] = self.asked_in
        answers = hidden and press is not None and slot is None
        slot = f"press:{press}" if answers else slot
        await outbox.put(
            self.tx,
            Parcel(
                "message",
                facts | {"press": press} if answers else facts,
                room=self.room,
                person=self.person.id,
                ticket=self.about or ticket_of(message),
                thread=self.about is not None,
                slot=slot,
                only=str(self.incoming.sender.identity) if hidden else None,
                retract=retract,
                urgency=ANSWER,
            ),
        )


def ticket_of(message: Message) -> TicketId | None:
    """The ticket a message is about."""
    return None if message.ticket is None else TicketId(message.ticket)
