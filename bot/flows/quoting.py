"""What a message answers, for the eyes of whoever reads it."""

from bot.flows import story
from bot.message import Answered
from core.database.transaction import Transaction
from core.files import store as files
from core.kernel import text as texts
from core.kernel.ids import PersonId
from core.tickets import answering
from core.tickets.model import Said

LENGTH = 100
"""Of a quote, in UTF-16 units."""


async def answered(tx: Transaction, said: Said, reader: PersonId | None) -> Answered | None:
    """What it answers, if that is worth telling and theirs to read; see `core.tickets.answering.answered`."""
    target = await answering.answered(tx, said, reader)
    if target is None:
        return None
    places = await answering.places(tx, target)
    author = await story.name(tx, target.author)
    return Answered(author, await beginning(tx, target), tuple(places.items()))


async def beginning(tx: Transaction, said: Said) -> str:
    """Its first words, or the names of what came without any."""
    names = "" if said.text.strip() else ", ".join(file.name for file in await files.of_message(tx, said.id))
    return texts.shorten(said.text, LENGTH) or texts.shorten(f"📎 {names}", LENGTH)
