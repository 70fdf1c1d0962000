"""Which of the staff is meant by a name that somebody typed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity
from core.people import store as people
from core.people.model import Person

Mentions = Sequence[tuple[str, Identity]]
SHOWN = 40


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


@dataclass(frozen=True, slots=True)
class Found:
    """Whom words name, what follows the name, and whether the name is one that nobody gives themselves."""

    person: Person
    rest: str
    certain: bool


async def known(tx: Transaction, asker: Person, rest: str, mentions: Mentions = ()) -> Found:
    """Of everybody who has an account at the desk, the one whom the words name most fully: by an account
    that is mentioned, an account of the web chat, or a whole name that nobody else has. Staff know each
    other by first names too.

    Raises UserError, in the same words whether it is nobody or several."""
    for words, identity in mentions:
        person = await people.by_identity(tx, identity)
        if rest.startswith(words) and person is not None:
            return Found(person, rest.removeprefix(words).strip(" ,:"), True)
    said = rest.removeprefix("@").strip()
    fitting = [
        (len(name), Found(person, after, certain or person.rank > 0))
        for person, accounts in await people.everybody(tx)
        for name, certain in _names(asker, person, accounts)
        if (after := _after_name(said, name)) is not None
    ]
    fullest = max((length for length, _ in fitting), default=0)
    meant = {found.person.id: found for length, found in fitting if length == fullest}
    if len(meant) != 1:
        raise UserError("person.nobody", name=texts.shorten(said, SHOWN))
    return next(iter(meant.values()))


def _names(asker: Person, person: Person, accounts: Sequence[Identity]) -> list[tuple[str, bool]]:
    """What somebody is called, and whether that is certain to be them."""
    names = [(person.name, False), *((each.account, True) for each in accounts if each.platform == "web")]
    if asker.staff and person.staff:
        names.append((person.name.split()[0], True))
    return names


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
