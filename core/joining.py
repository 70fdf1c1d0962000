"""Two persons who prove to be one, and one who parts with an account: what becomes of all that is theirs."""

from collections.abc import Callable
from dataclasses import replace

from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.feedback import store as feedback
from core.files import store as files
from core.kernel.errors import UserError
from core.kernel.ids import Address, Identity
from core.outbox import actions as parcels
from core.outbox import store as outbox
from core.outbox.model import ANSWER, Parcel
from core.people import linking
from core.people import store as people
from core.people.model import Actor, Code, Members, Person
from core.people.reach import Reach
from core.searches import store as searches
from core.tickets import company, doors, queries, search
from core.tickets import store as tickets


async def pair(tx: Transaction, actor: Actor, here: Identity, code: Code) -> tuple[Person, Person]:
    """Who stays, and whose things become theirs, once `here` has written the code of another account.

    Raises UserError for a code of one's own, and for two of whom only the configuration can say that they
    are one; the code stays good."""
    giver = await people.by_identity(tx, code.identity)
    assert giver is not None
    assert actor.person is not None
    if giver.id == actor.person.id:
        raise UserError("link.own" if code.identity == here else "link.joined_already")
    return linking.who_stays(giver, actor.person)


def shown(code: Code, person: Person, asked_in: str | None = None) -> Parcel:
    """The code where its account reads it, as it stands then: once it is used or over, it is shown no more.
    `asked_in`: where it was asked for, if elsewhere."""
    facts = {"identity": str(code.identity), "hash": code.hash}
    if asked_in is not None:
        facts["asked_in"] = asked_in
    slot = f"link:{code.hash[:16]}"
    return Parcel("link_code", facts, room=code.room, person=person.id, slot=slot, urgency=ANSWER)


async def end_codes(tx: Transaction) -> None:
    """Codes that are over by now disappear from where they are shown."""
    for code in await people.codes_over(tx):
        await linking.void(tx, code)
        if (person := await people.by_identity(tx, code.identity)) is not None:
            await parcels.put(tx, shown(code, person))


async def join(
    tx: Transaction, actor: Actor, here: Identity, code: Code, nameless: Callable[[Identity], bool]
) -> Person:
    """The account that wrote a code and the one that the code was made for are one person's, who is returned.

    `code` is what `linking.redeem` has just given to `here`; `nameless` accounts do not tell what their owner
    is called. Raises what `pair` raises."""
    stays, goes = await pair(tx, actor, here, code)
    await linking.void(tx, code)
    moved = await people.identities_of(tx, goes.id)
    kept = await people.identities_of(tx, stays.id)
    if not stays.rank and all(map(nameless, kept)) and not all(map(nameless, moved)):
        stays = await _called(tx, stays, goes.name)
    for identity in {here, code.identity, *moved}:
        linked = not tx.rule(Members).names(identity)
        await people.attach(tx, identity, stays.id, linked=linked)
    stays = _with_wishes(stays, goes)
    await people.save(tx, stays)
    await _hand_over(tx, Actor(stays, actor.via), goes)
    return stays


async def _called(tx: Transaction, person: Person, name: str) -> Person:
    """The person has a name at last; their tickets are found by it too."""
    for ticket in await queries.every_of(tx, person.id):
        await search.grow(tx, ticket, name)
    return replace(person, name=name)


def _with_wishes(stays: Person, goes: Person) -> Person:
    """What they have said of themselves through either account; where through both, as who stays."""
    spoken = goes if goes.language_chosen and not stays.language_chosen else stays
    reach = goes.reach if stays.reach == Reach() else stays.reach
    return replace(stays, language=spoken.language, language_chosen=spoken.language_chosen, reach=reach)


async def _hand_over(tx: Transaction, actor: Actor, goes: Person) -> None:
    """Everything of the person who goes is the actor's, and whoever means the one means the other."""
    person = actor.person
    assert person is not None
    await people.become(tx, goes.id, person.id)
    for ticket in await queries.every_of(tx, goes.id):
        await search.grow(tx, ticket, person.name)
        await doors.record(tx, actor, ticket, "adopted", {"requester": person.id, "from": goes.id})
    for number in await tickets.owned_by(tx, goes.id):
        facts = {"owner": person.id, "from": goes.id}
        await doors.record(tx, actor, await tickets.get(tx, number), "inherited", facts)
    await company.hand_over(tx, goes.id, person.id)
    for store in (tickets, files, dialogs, feedback, outbox):
        await store.hand_over(tx, goes.id, person.id)
    await searches.forget(tx, goes.id)


async def part(
    tx: Transaction, actor: Actor, identity: Identity, direct: Callable[[Identity], Address | None]
) -> None:
    """The account is nobody's from now on; what was done through it stays with the actor, whose tickets go on
    where they can be reached otherwise. `direct` names the conversation of an account.

    Raises UserError for an account that the configuration gives, and for the last one that reaches them."""
    person = actor.person
    assert person is not None
    accounts = await people.identities_of(tx, person.id)
    if identity not in accounts:
        raise UserError("press.over")
    if tx.rule(Members).names(identity):
        raise UserError("unlink.configured", account=str(identity))
    if not any(direct(each) for each in accounts if each != identity):
        raise UserError("unlink.last")
    await people.detach(tx, identity)
    await lost(tx, actor, identity, direct)


async def lost(
    tx: Transaction, actor: Actor, identity: Identity, direct: Callable[[Identity], Address | None]
) -> None:
    """The account is the actor's no more: what reached them there goes on where they are reached otherwise,
    if anywhere."""
    person, there = actor.person, direct(identity)
    assert person is not None
    left = [home for each in await people.identities_of(tx, person.id) if (home := direct(each)) is not None]
    if left and there is not None:
        await _leave(tx, actor, person, str(there), str(left[0]))


async def _leave(tx: Transaction, actor: Actor, person: Person, room: str, home: str) -> None:
    """Nothing of this person goes to the room any more."""
    for ticket in await queries.every_of(tx, person.id):
        if ticket.home.partition("#")[0] == room:
            await doors.record(tx, actor, ticket, "parted", {"home": home, "left": ticket.home})
    await outbox.leave(tx, person.id, room, home)
    await dialogs.leave(tx, room, person.id)
