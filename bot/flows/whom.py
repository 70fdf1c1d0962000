"""Which of the staff is meant by a name that somebody typed."""

import itertools
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity
from core.people import store as people
from core.people.model import Person

Mentions = Sequence[tuple[str, Identity]]
SHOWN = 40
WORDS = 20
"""No name has more."""


async def named(tx: Transaction, queue: str, rest: str, mentions: Mentions = ()) -> tuple[Person, str]:
    """The member of staff whom the words name most fully, and the words after the name. Whose account is
    mentioned is meant, whatever it is called there.

    Of several alike those are meant who work in the queue. Raises UserError for nobody, or still several."""
    staff = await people.staff(tx)
    for words, identity in mentions:
        person = await people.by_identity(tx, identity)
        if rest.startswith(words) and person in staff:
            return person, rest.removeprefix(words).strip(" ,:")
    begins = _beginnings(rest.removeprefix("@").strip())
    fitting = [
        (len(name), name == person.name, person, begins[texts.search_text(name)])
        for person in staff
        for name in {person.name, person.name.split()[0]}
        if texts.search_text(name) in begins
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
    begins = _beginnings(said)
    fitting = [
        *(
            (name, Found(person, begins[name], sure))
            for name, person, sure in await _called(tx, asker, begins)
        ),
        *await _by_account(tx, said),
    ]
    fullest = max((len(name) for name, _ in fitting), default=0)
    alike = sorted(
        (found for name, found in fitting if len(name) == fullest), key=lambda found: found.certain
    )
    meant = {found.person.id: found for found in alike}
    if len(meant) != 1:
        raise UserError("person.nobody", name=texts.shorten(said, SHOWN))
    return next(iter(meant.values()))


async def _called(tx: Transaction, asker: Person, begins: Collection[str]) -> list[tuple[str, Person, bool]]:
    """Who goes by such a name, the name as it is compared, and whether nobody gives it themselves."""
    known = [(person.name, person, person.rank > 0) for person in await people.called(tx, begins)]
    if asker.staff:
        known += [(person.name.split()[0], person, True) for person in await people.staff(tx)]
    folded = [(texts.search_text(name), person, sure) for name, person, sure in known]
    return [each for each in folded if each[0] in begins]


async def _by_account(tx: Transaction, said: str) -> list[tuple[str, Found]]:
    """Whose account of the web chat the first word is, and that word as it is compared."""
    if (first := re.match(r"\S+", said)) is None:
        return []
    word = first[0].strip(".,:;!?")
    for account in dict.fromkeys((word, word.casefold())):
        if (person := await people.by_identity(tx, Identity("web", account))) is not None:
            return [(texts.search_text(word), Found(person, said[first.end() :].strip(" ,:"), True))]
    return []


def _beginnings(said: str) -> dict[str, str]:
    """What the words may begin with, folded for comparing, and the words after that."""
    begins: dict[str, str] = {}
    for word in itertools.islice(re.finditer(r"\S+", said), WORDS):
        if begun := texts.search_text(said[: word.end()]):
            begins.setdefault(begun, said[word.end() :].strip(" ,:"))
    return begins
