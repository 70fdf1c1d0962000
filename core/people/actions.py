"""What can happen to people: met for the first time, named by the configuration, choosing a language."""

from dataclasses import replace

from core.database.transaction import Transaction
from core.kernel.ids import Identity, PersonId
from core.people import store
from core.people.model import Member, Members, Person, Role
from core.people.reach import Reach


async def meet(tx: Transaction, identity: Identity, *, name: str, language: str) -> Person:
    """The person behind an account; somebody new becomes a requester. Whoever was called by the account's
    bare id, for want of a name, is called by their name as soon as it is known."""
    if (person := await store.by_identity(tx, identity)) is not None:
        if person.name == name or person.name != identity.account.rpartition("/")[2]:
            return person
        spoken = person.language if person.language_chosen else language
        named = replace(person, name=name, language=spoken)
        await store.save(tx, named)
        return named
    fresh = Person(PersonId(0), name, language, frozenset({Role.REQUESTER}))
    person_id = await store.add(tx, fresh)
    await store.attach(tx, identity, person_id)
    return replace(fresh, id=person_id)


async def speak(tx: Transaction, person: Person, language: str) -> Person:
    """From now on the desk speaks `language` with this person."""
    changed = replace(person, language=language, language_chosen=True)
    await store.save(tx, changed)
    return changed


async def prefer(tx: Transaction, person: Person, wishes: Reach) -> Person:
    """From now on this person is reached so."""
    changed = replace(person, reach=wishes)
    await store.save(tx, changed)
    return changed


async def appoint(tx: Transaction, members: Members) -> list[tuple[PersonId, Identity]]:
    """Give the people of the configuration their names, roles and queues; others lose staff roles.

    A language that somebody has chosen for themselves stays, and so do accounts that they joined to their
    own, unless the configuration gives those to somebody else. An admin's are those of the configuration.
    Returns who has lost which account by this."""
    before = await store.owners(tx)
    await store.demote_all(tx)
    known = await _known(tx, members)
    for rank, member in enumerate(members.all, start=1):
        await _appoint(tx, member, rank, known.get(rank))
    after = await store.owners(tx)
    return [(person, identity) for identity, person in before.items() if after.get(identity) != person]


async def _known(tx: Transaction, members: Members) -> dict[int, Person]:
    """Who each member is, by rank, of those the desk knows. Nobody is two of them; an account that somebody
    joined to their own tells less than one that was theirs before."""
    found: dict[int, Person] = {}
    for joined in (False, True):
        for rank, member in enumerate(members.all, start=1):
            for identity in member.identities:
                person = await store.by_identity(tx, identity)
                if person is None or rank in found or person in found.values():
                    continue
                if (identity in await store.linked(tx, person.id)) is joined:
                    found[rank] = person
    return found


async def _appoint(tx: Transaction, member: Member, rank: int, person: Person | None) -> None:
    if person is None:
        for identity in member.identities:
            await store.detach(tx, identity)
        person = await meet(tx, member.identities[0], name=member.name, language=member.language)
    given = replace(person, name=member.name, roles=member.roles, queues=member.queues, rank=rank)
    await store.save(tx, replace(given, vip=member.vip))
    joined = frozenset() if Role.ADMIN in member.roles else await store.linked(tx, person.id)
    for identity in await store.identities_of(tx, person.id):
        if identity not in (*member.identities, *joined):
            await store.detach(tx, identity)
    for identity in member.identities:
        await store.attach(tx, identity, person.id)
