"""Accounts of one person: a code that joins two of them, the list of them, and parting with one."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bot import codes
from bot.flows import phrases
from bot.flows.turn import Turn
from bot.i18n import in_every_language
from bot.message import At, Choice, Message, Paragraph, Plain, Several, Text, Typed, Words, to_facts
from core import joining
from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity, TicketId
from core.outbox import actions as outbox
from core.outbox.model import ANSWER, Parcel
from core.people import linking
from core.people import store as people
from core.people.model import Code, Members
from core.people.reach import Ways

SLACK = "slack"
"""Where commands stand under one root."""


async def link(turn: Turn, _: TicketId, rest: str) -> None:
    """A code for this account, or the code of another one: both in private alone."""
    alone = _alone(turn, "/link")
    if not rest:
        await _give_code(alone)
    elif turn.press is None and not (turn.incoming.private and turn.asked_in is None):
        await linking.expose(turn.tx, turn.incoming.sender.identity, linking.hashed(rest))
        await alone.tell(phrases.hint(Words("link.in_public")))
    else:
        await _take_code(alone, rest)


async def unlink(turn: Turn, _: TicketId, rest: str) -> None:
    """Part with an account that is named, or show which there are."""
    alone = _alone(turn, "/unlink")
    accounts = await people.identities_of(turn.tx, turn.person.id)
    named = _named(accounts, rest) if rest else []
    if rest and not named:
        raise UserError("unlink.valid")
    if len(named) == 1:
        await _part(alone, named[0])
    else:
        await alone.tell(_list(alone, accounts))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """The button of an account or of a code. Raises UserError for one that is not theirs, or is over."""
    match list(words):
        case ["join", code_hash]:
            await _join(turn, await linking.held(turn.tx, turn.incoming.sender.identity, code_hash))
        case ["refuse", code_hash]:
            await _refuse(turn, await linking.held(turn.tx, turn.incoming.sender.identity, code_hash))
        case ["unlink", mark]:
            accounts = await people.identities_of(turn.tx, turn.person.id)
            meant = [each for each in accounts if _mark(each) == mark]
            if not meant:
                raise UserError("press.over")
            await _part(turn, meant[0])
        case _:
            raise UserError("press.stale")


async def also(turn: Turn) -> list[Paragraph]:
    """The other accounts of this person, if there are any."""
    here = turn.incoming.sender.identity
    others = [each for each in await people.identities_of(turn.tx, turn.person.id) if each != here]
    accounts = Several(tuple(_account(each) for each in others), ", ")
    return [Paragraph(Words("start.whoami_also", {"accounts": accounts}))] if others else []


async def code(tx: Transaction, identity: Identity, code_hash: str) -> Message:
    """The code, with what to do with it; that it is over, once it is."""
    said = await linking.word(tx, identity, code_hash)
    made = await people.code_for(tx, identity)
    if said is None or made is None:
        return Message((Paragraph(Words("link.code_over"), "quiet"),))
    lines = [Paragraph(Words("link.code")), Paragraph(Plain(f"/link {said}"), "strong")]
    if identity.platform != SLACK and SLACK in tx.rule(Ways).platforms:
        lines.append(Paragraph(Words("link.code_slack", {"command": Plain(f"/desk link {said}")})))
    care = Words("link.code_care", {"until": At(made.over_at, "clock")})
    return Message((*lines, Paragraph(care, "quiet")))


def _alone(turn: Turn, command: str) -> Turn:
    """The same in the person's own conversation. Raises UserError where that cannot be named."""
    if turn.incoming.private:
        return turn
    home = turn.direct(turn.incoming.sender.identity)
    if home is None:
        raise UserError("command.private", command=command)
    incoming = replace(turn.incoming, where=home, private=True)
    return replace(turn, incoming=incoming, about=None, asked_in=turn.room)


# ---- joining


async def _give_code(turn: Turn) -> None:
    here = turn.incoming.sender.identity
    before = await people.code_for(turn.tx, here)
    made = await linking.make(turn.tx, turn.person, here, turn.room)
    if before is not None:
        await _show(turn, before)
    await _show(turn, made)


async def _show(turn: Turn, code: Code) -> None:
    """Show the code where it was asked for, as it stands now."""
    await outbox.put(turn.tx, joining.shown(code, turn.person, turn.asked_in))


async def _take_code(turn: Turn, typed: str) -> None:
    """Ask whether the other account is theirs: somebody may have put the code into their hands."""
    here = turn.incoming.sender.identity
    code = await linking.redeem(turn.tx, here, linking.hashed(typed))
    if code is None:
        await turn.tell(phrases.hint(Words("link.wrong")))
    else:
        await joining.pair(turn.tx, turn.actor, here, code)
        await linking.hold(turn.tx, here, code)
        await _ask(turn, code)


async def _ask(turn: Turn, code: Code) -> None:
    giver = await people.by_identity(turn.tx, code.identity)
    assert giver is not None
    facts = {"account": _account(code.identity), "name": Plain(giver.name)}
    yes = phrases.button(codes.code("i", "join", code.hash), "button.is_mine")
    no = phrases.button(codes.code("i", "refuse", code.hash), "button.not_mine")
    question = Message((Paragraph(Words("link.is_it_yours", facts)),), ((yes, no),))
    await turn.tell(question, slot=_question(code.hash))


async def _join(turn: Turn, code: Code) -> None:
    here = turn.incoming.sender.identity
    person = await joining.join(turn.tx, turn.actor, here, code, _is_nameless)
    turn = replace(turn, person=person, actor=replace(turn.actor, person=person))
    await _show(turn, code)
    await turn.tell(_told(turn, code.identity, here), slot=_question(code.hash))
    await _tell(turn, code.room, _told(turn, here, code.identity))


async def _refuse(turn: Turn, code: Code) -> None:
    await linking.void(turn.tx, code)
    await turn.tell(phrases.hint(Words("link.refused")), slot=_question(code.hash))


def _is_nameless(identity: Identity) -> bool:
    """On the page the desk itself gives a visitor the name."""
    return identity.platform == "web"


def _question(code_hash: str) -> str:
    return f"linking:{code_hash}"


async def _tell(turn: Turn, room: str, told: Message) -> None:
    facts = {"message": to_facts(told)}
    await outbox.put(turn.tx, Parcel("message", facts, room=room, person=turn.person.id, urgency=ANSWER))


def _told(turn: Turn, other: Identity, here: Identity) -> Message:
    """Which account was joined with this one, and how to undo it."""
    undone = here if turn.tx.rule(Members).names(other) else other
    undo = Words("link.undo", {"command": Typed(f"/unlink {undone}")})
    blocks = (Paragraph(Words("link.joined", {"account": _account(other)})), Paragraph(undo, "quiet"))
    return Message(blocks, ((_button(undone),),))


# ---- parting


async def _part(turn: Turn, identity: Identity) -> None:
    there = turn.direct(identity)
    await joining.part(turn.tx, turn.actor, identity, turn.direct)
    left = await people.identities_of(turn.tx, turn.person.id)
    gone = Message((Paragraph(Words("unlink.gone")),))
    done = Message((Paragraph(Words("unlink.done", {"account": _account(identity)})),))
    if identity != turn.incoming.sender.identity:
        await turn.tell(done)
        if there is not None:
            await _tell(turn, str(there), gone)
        return
    await turn.tell(gone)
    home = next(home for each in left if (home := turn.direct(each)) is not None)
    await _tell(turn, str(home), done)


def _list(turn: Turn, accounts: Sequence[Identity]) -> Message:
    if len(accounts) == 1:
        return Message((Paragraph(Words("unlink.alone")),))
    named = turn.tx.rule(Members)
    lines = []
    for each in accounts:
        here = [Words("unlink.here")] if each == turn.incoming.sender.identity else []
        given = [Words("unlink.given")] if named.names(each) else []
        lines.append(Paragraph(Several((_account(each), *here, *given))))
    rows = tuple((_button(each),) for each in accounts if not named.names(each))
    return Message((Paragraph(Words("unlink.accounts"), "strong"), *lines), rows)


def _named(accounts: Sequence[Identity], words: str) -> list[Identity]:
    """Those of the accounts that are meant: one by its full name, or all of a messenger."""
    wanted = texts.search_text(words)
    exact = [each for each in accounts if str(each) == words]
    return exact or [each for each in accounts if wanted in _names(each.platform)]


def _names(platform: str) -> set[str]:
    return {platform, *map(texts.search_text, in_every_language(f"via.{platform}").values())}


# ---- how an account is shown


def _account(identity: Identity) -> Text:
    return Several((phrases.via(identity.platform), Plain(f"({identity})")), " ")


def _button(identity: Identity) -> Choice:
    return phrases.button(
        codes.code("i", "unlink", _mark(identity)), "button.unlink", account=_account(identity)
    )


def _mark(identity: Identity) -> str:
    """What stands for an account in a code, which has no room for its name."""
    return hashlib.sha256(str(identity).encode()).hexdigest()[:16]
