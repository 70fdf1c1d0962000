"""What a ticket is found by: what was said to each other, the answers, the solution and who asked.

Never by notes: an agent may be the requester of a ticket elsewhere."""

from collections.abc import Iterable, Sequence

from core.database.transaction import Transaction
from core.kernel import text as texts
from core.people import store as people
from core.tickets import store
from core.tickets.catalogue import Catalogue
from core.tickets.model import Answer, Ticket


def words(tx: Transaction, said: Iterable[str], requester: str, kind: str, answers: Sequence[Answer]) -> str:
    """The words to keep with a ticket of this type."""
    return texts.search_text(" ".join((*said, requester, *_answered(tx, kind, answers))))


def _answered(tx: Transaction, kind: str, answers: Sequence[Answer]) -> list[str]:
    """What was answered; an option in every language in which it is offered."""
    known = tx.rule(Catalogue).types.get(kind)
    options = {question.name: question.options for question in known.questions} if known else {}
    told: list[str] = []
    for answer in answers:
        offered = options.get(answer.question, ())
        chosen = answer.option is not None and answer.option < len(offered)
        told += offered[answer.option or 0].values() if chosen else [answer.text]
    return told


async def refresh(tx: Transaction, ticket: Ticket) -> None:
    """Let the ticket be found by what stands in it now."""
    said = [
        each.text
        for each in await store.messages_of(tx, ticket.id)
        if each.kind != "note" and each.withdrawn_at is None
    ]
    name = (await people.get(tx, ticket.requester)).name
    said.append(ticket.resolution or "")
    await store.set_search(tx, ticket.id, words(tx, said, name, ticket.type, ticket.answers))


async def grow(tx: Transaction, ticket: Ticket, more: str) -> None:
    """Let the ticket be found by these words too."""
    await store.add_search(tx, ticket.id, texts.search_text(more))
