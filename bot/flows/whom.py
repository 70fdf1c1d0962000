"""Which of the staff is meant by a name that somebody typed."""

import re
from collections.abc import Sequence

from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity
from core.people import store as people
from core.people.model import Person

Mentions = Sequence[tuple[str, Identity]]


async def named(tx: Transaction, queue: str, rest: str, mentions: Mentions = ()) -> tuple[Person, str]:
    """The member of staff whom the words name most fully, and the words after the name. Whose account is
    mentioned is meant, whatever it is called there.

    Of several alike those are meant who work in the queue. Raises UserError for nobody, or still several."""
    staff = await people.staff(tx)
    for words, identity in mentions:
        person = await people.by_identity(tx, identity)
        if rest.startswith(words) and person in staff:
            return person, rest.removeprefix(words).strip(" ,:")
    said = rest.removeprefix("@").strip()
    fitting = [
        (len(name), name == person.name, person, note)
        for person in staff
        for name in {person.name, person.name.split()[0]}
        if (note := _after_name(said, name)) is not None
    ]
    if not fitting:
        raise UserError("person.unknown", names=", ".join(person.name for person in staff))
    fullest = max(each[:2] for each in fitting)
    alike = [each for each in fitting if each[:2] == fullest]
    meant = [each for each in alike if each[2].serves(queue)] if len(alike) > 1 else alike
    if len(meant) != 1:
        raise UserError("person.several", names=", ".join(each[2].name for each in meant or alike))
    return meant[0][2], meant[0][3]


def _after_name(said: str, name: str) -> str | None:
    """The words after the name that they begin with; None if they do not."""
    wanted = texts.search_text(name)
    for word in re.finditer(r"\S+", said):
        begun = texts.search_text(said[: word.end()])
        if begun == wanted:
            return said[word.end() :].strip(" ,:")
        if not wanted.startswith(begun):
            return None
    return None
