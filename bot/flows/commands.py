"""The commands: one table with names, who may use them, what they take and what they do."""

import difflib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot import codes
from bot.flows import (
    company,
    crowd,
    emergency,
    finding,
    forms,
    intake,
    linking,
    lists,
    merging,
    oncall,
    reach,
    report,
    verdict,
    weighing,
    when,
    whom,
    why,
    work,
)
from bot.flows import dialog as dialogs
from bot.flows.draft import TYPE, Draft
from bot.flows.turn import Turn
from bot.i18n import guess, languages
from bot.incoming import Quoted, Said
from bot.message import Choice, Fact, Message, Paragraph, Plain, Text, Typed, Words
from core.dialogs import store as dialog_store
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.errors import Forbidden, UserError
from core.kernel.ids import Address, TicketId
from core.outbox import actions as outbox
from core.people import actions as people_actions
from core.people.model import Person, Right
from core.tickets import actions as tickets
from core.tickets import answering, doors
from core.tickets import store as ticket_store
from core.tickets.actions import Source
from core.tickets.catalogue import Level, Priority
from core.tickets.model import ACTIVE, BY_COMMAND, SENT_ON

Handler = Callable[[Turn, TicketId, str], Awaitable[None]]
NO_TICKET = TicketId(0)


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `example` shows a whole use; `ticket`: a number comes first (left out in a thread)."""

    name: str
    run: Handler
    example: str
    staff: bool = False
    ticket: bool = False
    words: bool = False
    """Something must follow."""
    aliases: tuple[str, ...] = ()
    bare: Handler | None = None
    """What is done where it is called alone, as a tap in a messenger's menu of commands calls it."""

    @property
    def help(self) -> Text:
        return Words(f"command.{self.name}")


_CALL = re.compile(r"/(?:desk\s+)?([^\s@/]{1,32})(?:@\S+)?(?:\s+(.*))?", re.DOTALL)
_NUMBER = re.compile(r"#?(\d{1,9})(?:\s+|$)(.*)", re.DOTALL)


async def _meant(turn: Turn, quoted: Quoted | None) -> Quoted | None:
    """What is pointed at; where that is the desk's copy of a note, the note itself."""
    if quoted is None or not quoted.sender.automatic:
        return quoted
    note = await answering.standing_at(turn.tx, turn.room, quoted.message)
    if note is None or note.kind != "note" or note.withdrawn_at is not None:
        return quoted
    return replace(quoted, sender=turn.incoming.sender, text=note.text)


_SAYS = {"new": "request", "reply": "reply", "note": "note"}
"""What the words after a command become."""


def is_command(turn: Turn, text: str) -> bool:
    """Whether the words call a command, known or mistyped. A requester's "/tmp is full" is no command."""
    found = _CALL.fullmatch(text.strip())
    if found is None:
        return False
    name, rest = found[1].casefold(), found[2] or ""
    may_be_words = rest and not _NUMBER.fullmatch(rest) and turn.incoming.private and not turn.person.staff
    return not may_be_words or name in _BY_NAME or name == "ticket" or bool(_near(turn, name))


async def run(turn: Turn, text: str, quoted: Quoted | None = None) -> None:
    """Do what the command says. Raises UserError with an example when it is unknown or incomplete."""
    found = _CALL.fullmatch(text.strip())
    assert found is not None
    if found[1].casefold() == "ticket":
        await crowd.make_ticket(turn, quoted)
        return
    turn = turn.apart()
    command = _named(turn, found[1].casefold())
    if command.staff and not turn.person.staff:
        raise Forbidden("right.staff_command", command=f"/{command.name}")
    rest = marked.group(found, 2).strip()
    if command.bare is not None and not rest and not (command.ticket and turn.about):
        await command.bare(turn, NO_TICKET, "")
        return
    pointed = await _meant(turn, quoted) if command.run is _reply else None
    number, words = _arguments(turn, command, rest, pointed)
    await command.run(turn, number, words)


async def reworded(turn: Turn, text: str, kind: str, ticket: TicketId = NO_TICKET) -> str:
    """What a changed message says now: of a command that was typed, the words it carries.

    Raises UserError where that would be another command, or about another ticket, than what was said."""
    if not is_command(turn, text):
        return text
    found = _CALL.fullmatch(text.strip())
    command = _BY_NAME.get(found[1].casefold()) if found else None
    if found is None or command is None or _SAYS.get(command.name) != kind:
        raise UserError("edit.other")
    number, words = _arguments(turn, command, marked.group(found, 2).strip(), None)
    if number not in (NO_TICKET, ticket):
        raise UserError("edit.other")
    return (await company.in_whose_name(turn, words))[1] if command.run is _new else words


def _named(turn: Turn, name: str) -> Command:
    if name in _BY_NAME:
        return _BY_NAME[name]
    raise UserError("command.unknown", command=f"/{name}", near=f"/{_near(turn, name) or 'help'}")


def _near(turn: Turn, name: str) -> str:
    """The command that was perhaps meant, among those the person can use."""
    known = [command.name for command in COMMANDS if not command.staff or turn.person.staff]
    return next(iter(difflib.get_close_matches(name, known, n=1)), "")


def _arguments(turn: Turn, command: Command, rest: str, quoted: Quoted | None) -> tuple[TicketId, str]:
    """The ticket and the words; where none were typed, those of a colleague that are pointed at."""
    number = NO_TICKET
    if command.ticket:
        found = _NUMBER.fullmatch(rest)
        if found is not None and (turn.about is None or _names_ticket(turn.about, rest, found)):
            number, rest = TicketId(int(found[1])), marked.group(found, 2).strip()
        elif found is not None and command.run not in (_hold, _snooze):
            call = f"/{command.name}"
            raise UserError("command.which_number", number=found[1], ticket=turn.about, command=call)
        elif turn.about is not None:
            number = turn.about
        else:
            raise UserError("command.needs_ticket", example=command.example)
    if not rest and quoted is not None and quoted.sender.automatic and turn.press is not None:
        raise UserError("reply.nobodys")
    if not rest and quoted is not None and not quoted.sender.automatic:
        rest = texts.clean(quoted.text).strip()
    said = rest or (turn.files and command.run in (_reply, _note))
    if command.words and not said:
        raise UserError("command.incomplete", example=command.example)
    return number, rest


def _names_ticket(about: TicketId, rest: str, found: re.Match[str]) -> bool:
    """In a thread a number may be words, as in "2 licences are left", or nothing but a ticket."""
    return rest.startswith("#") or int(found[1]) == about or not found[2].strip()


# ---- for everybody


async def _new(turn: Turn, _: TicketId, rest: str) -> None:
    asked_at_once = turn.forms and turn.press is not None
    if not asked_at_once and not turn.incoming.private:
        raise UserError("command.private", command="/new")
    behalf, rest = await company.in_whose_name(turn, rest)
    if asked_at_once:
        await report.begin(turn, rest, behalf)
        return
    draft = Draft(files=turn.files, behalf=behalf)
    await intake.start(turn, draft.with_words(rest, _typed(turn, "")) if rest else draft)


async def _my(turn: Turn, _: TicketId, rest: str) -> None:
    await turn.tell(await lists.my(turn))


async def _status(turn: Turn, ticket: TicketId, rest: str) -> None:
    seen = await doors.seen(turn.tx, turn.actor, ticket)
    await turn.tell(await lists.status(turn, seen))


async def _lang(turn: Turn, _: TicketId, rest: str) -> None:
    language = guess(rest, "")
    if language not in languages:
        raise UserError("language.valid", languages=", ".join(languages))
    await people_actions.speak(turn.tx, turn.person, language)
    await turn.tell(Message((Paragraph(Words("language.changed")),)))


async def _languages(turn: Turn, _: TicketId, rest: str) -> None:
    """Which language it shall be, one press away."""
    row = tuple(Choice(codes.code("l", each), Words(f"language.{each}")) for each in languages)
    await turn.tell(Message((Paragraph(Words("language.ask")),), (row,)))


async def speak(turn: Turn, language: str) -> None:
    """A language was pressed. Raises UserError for one that is not offered."""
    await _lang(turn, NO_TICKET, language)


async def _whoami(turn: Turn, _: TicketId, rest: str) -> None:
    """The identity to put into the configuration, and the room that this was asked in."""
    identity = Plain(str(turn.incoming.sender.identity))
    facts: dict[str, Fact] = {"name": Plain(turn.person.name), "identity": identity}
    told = [Paragraph(Words("start.whoami", facts)), *await linking.also(turn)]
    if turn.asked_in is not None:
        told.append(Paragraph(Words("start.where", {"room": Plain(turn.asked_in)})))
    await turn.tell(Message(tuple(told)))


async def _start(turn: Turn, _: TicketId, rest: str) -> None:
    """The first hello; a link may name a request type or a ticket: `type-network`, `ticket-42`.

    Whoever starts can be written to from now on, and gets what could not reach them before."""
    if turn.incoming.private:
        await outbox.revive(turn.tx, turn.room)
    kind, _sign, name = rest.partition("-")
    if kind == "type" and name in turn.catalogue.types:
        await intake.start(turn, Draft(type=name, done=(TYPE,)))
    elif kind == "ticket" and (found := _NUMBER.fullmatch(name)):
        await _status(turn, TicketId(int(found[1])), "")
    else:
        await turn.tell(Message((Paragraph(Words("start.hello")), Paragraph(Words("start.hint"), "quiet"))))


async def _help(turn: Turn, _: TicketId, rest: str) -> None:
    emergencies = turn.catalogue.emergencies.enabled
    await turn.tell(_help_page(turn.person, threads=turn.threads, emergencies=emergencies))


def offered(*, emergencies: bool) -> list[Command]:
    """The commands of a desk that takes emergencies, or none."""
    return [each for each in COMMANDS if emergencies or each.run is not emergency.command]


def _help_page(person: Person, *, threads: bool, emergencies: bool) -> Message:
    """Where every request is a thread of its own, no command can be given there."""
    staff = "help.staff_of_threads" if threads else "help.staff"
    lines = [Paragraph(Words(staff if person.staff else "help.requester"))]
    for command in offered(emergencies=emergencies):
        if not command.staff or person.staff:
            line = Words("help.line", {"command": Typed(command.example), "what": command.help})
            lines.append(Paragraph(line, "quiet"))
    return Message(tuple(lines))


async def _cancel(turn: Turn, _: TicketId, rest: str) -> None:
    """What is under way here; a command stands in no thread, so there it is the newest of the threads."""
    under_way = await dialog_store.at(turn.tx, turn.place, turn.person.id)
    if under_way is None and turn.threads:
        under_way = await dialog_store.newest(turn.tx, turn.room, turn.person.id)
    if under_way is None:
        raise UserError("dialog.none")
    there = replace(turn.incoming, where=Address.parse(under_way.room))
    await dialogs.leave(replace(turn, incoming=there))
    key = "intake.cancelled" if under_way.flow == intake.FLOW else "form.cancelled"
    await turn.tell(Message((Paragraph(Words(key)),)))


async def _reopen(turn: Turn, ticket: TicketId, rest: str) -> None:
    seen = await doors.seen(turn.tx, turn.actor, ticket)
    if seen.requester == turn.person.id and seen.status in ACTIVE:
        raise UserError("talk.open_already", ticket=ticket)
    if seen.requester == turn.person.id:
        await verdict.reopen(turn, ticket)
    else:
        await tickets.reopen(turn.tx, turn.actor, ticket)
        await _done(turn, ticket)


# ---- for staff


async def _queue(turn: Turn, _: TicketId, rest: str) -> None:
    await turn.tell(await lists.queue(turn))


async def _mine(turn: Turn, _: TicketId, rest: str) -> None:
    await turn.tell(await lists.mine(turn))


async def _find(turn: Turn, _: TicketId, rest: str) -> None:
    if rest.startswith("#") and (found := _NUMBER.fullmatch(rest)) and not found[2]:
        await turn.tell(await lists.one(turn, await doors.seen(turn.tx, turn.actor, TicketId(int(found[1])))))
    else:
        await finding.find(turn, rest)


async def _find_how(turn: Turn, _: TicketId, rest: str) -> None:
    await turn.tell(Message((Paragraph(Words("list.find_valid")),), tone="hint"))


async def _timeline(turn: Turn, ticket: TicketId, rest: str) -> None:
    await turn.tell(await lists.timeline(turn, await doors.allowed(turn.tx, turn.actor, ticket, Right.WORK)))


async def _take(turn: Turn, ticket: TicketId, rest: str) -> None:
    await work.take(turn, ticket)


async def _pass(turn: Turn, ticket: TicketId, rest: str) -> None:
    seen = await doors.allowed(turn.tx, turn.actor, ticket, Right.WORK)
    what = turn.incoming.what
    mentions = what.mentions if isinstance(what, Said) else ()
    person, note = await whom.named(turn.tx, seen.queue, rest, mentions)
    await tickets.pass_to(turn.tx, turn.actor, ticket, person.id, note)
    await _done(turn, ticket)


async def _reply(turn: Turn, ticket: TicketId, rest: str) -> None:
    source = await _sent_on(turn, rest) or _typed(turn)
    await tickets.reply(turn.tx, turn.actor, ticket, rest, file_ids=turn.files, source=source)
    await _done(turn, ticket)


def _typed(turn: Turn, ending: str = BY_COMMAND) -> Source | None:
    """Where the words of a command stand, so that an edit there is followed; None where none stand."""
    what = turn.incoming.what
    if not isinstance(what, Said) or what.press is not None:
        return None
    return turn.asked_in or turn.room, f"{what.message}{ending}"


async def _sent_on(turn: Turn, rest: str) -> Source | None:
    """What keeps a message of the room from being sent to the requester twice; None for words of one's own.

    Raises UserError when it was sent already, and was not taken back."""
    what = turn.incoming.what
    quoted = what.quoted if isinstance(what, Said) else None
    if quoted is None or rest != texts.clean(quoted.text).strip():
        return None
    mark = f"{quoted.message}{SENT_ON}"
    before = await ticket_store.message_at(turn.tx, turn.room, mark)
    known = await ticket_store.message_at(turn.tx, turn.room, quoted.message)
    if before is not None and before.withdrawn_at is not None:
        await ticket_store.change_message(turn.tx, before.id, remote=None)
    elif before is not None or (known is not None and known.kind == "reply"):
        raise UserError("reply.sent_already")
    return turn.room, mark


async def _note(turn: Turn, ticket: TicketId, rest: str) -> None:
    source = _typed(turn)
    await tickets.note(turn.tx, turn.actor, ticket, rest, file_ids=turn.files, source=source)
    await _done(turn, ticket)
    await company.offer(turn, ticket, rest)


async def _priority(turn: Turn, ticket: TicketId, rest: str) -> None:
    word, _, reason = rest.partition(" ")
    if word.casefold() not in tuple(Priority):
        raise UserError("priority.valid", priorities=", ".join(Priority))
    await tickets.prioritise(turn.tx, turn.actor, ticket, Priority(word.casefold()), reason.strip())
    await _done(turn, ticket)


async def _level(turn: Turn, ticket: TicketId, rest: str) -> None:
    word, _, note = rest.partition(" ")
    if word.upper() not in tuple(Level):
        raise UserError("level.valid", levels=", ".join(Level))
    await tickets.set_level(turn.tx, turn.actor, ticket, Level(word.upper()), note.strip())
    await _done(turn, ticket)


async def _hold(turn: Turn, ticket: TicketId, rest: str) -> None:
    until = when.instant(rest, turn.tx.now, turn.time_zone) if rest else None
    await tickets.hold(turn.tx, turn.actor, ticket, until)
    await _done(turn, ticket)


async def _resume(turn: Turn, ticket: TicketId, rest: str) -> None:
    await tickets.resume(turn.tx, turn.actor, ticket)
    await _done(turn, ticket)


async def _snooze(turn: Turn, ticket: TicketId, rest: str) -> None:
    await work.snooze(turn, ticket, when.length(rest) if rest else None)


async def _onit(turn: Turn, ticket: TicketId, rest: str) -> None:
    await work.promise(turn, ticket)


def _form(name: str, field: str) -> Handler:
    """A command that does what the form of the same name does, its words in one field."""

    async def handle(turn: Turn, ticket: TicketId, rest: str) -> None:
        await forms.submit(turn, name, ticket, {field: rest})
        await _done(turn, ticket)

    return handle


async def _done(turn: Turn, ticket: TicketId) -> None:
    """A word that it worked, where the ticket's thread does not show it anyway."""
    if turn.about != ticket:
        await turn.tell(Message((Paragraph(Words("work.done", {"ticket": ticket}), "quiet"),), tone="hint"))


COMMANDS = (
    Command("new", _new, "/new"),
    Command("my", _my, "/my"),
    Command("status", _status, "/status 42", ticket=True, bare=_my),
    Command("reopen", _reopen, "/reopen 42", ticket=True),
    Command("emergency", emergency.command, "/emergency 42", ticket=True),
    Command("add", company.add, "/add 42 @boris", ticket=True, words=True),
    Command("remove", company.remove, "/remove 42 @boris", ticket=True, words=True),
    Command("leave", company.leave, "/leave 42", ticket=True),
    Command("lang", _lang, "/lang ru", words=True, bare=_languages),
    Command("cancel", _cancel, "/cancel"),
    Command("start", _start, "/start"),
    Command("whoami", _whoami, "/whoami"),
    Command("link", linking.link, "/link"),
    Command("unlink", linking.unlink, "/unlink"),
    Command("reach", reach.command, "/reach"),
    Command("help", _help, "/help"),
    Command("queue", _queue, "/queue", staff=True),
    Command("mine", _mine, "/mine", staff=True),
    Command("find", _find, "/find vpn", staff=True, words=True, bare=_find_how),
    Command("timeline", _timeline, "/timeline 42", staff=True, ticket=True),
    Command("why", why.explained, "/why 42", staff=True, ticket=True),
    Command("take", _take, "/take 42", staff=True, ticket=True, aliases=("claim",)),
    Command("release", _form("release", "handover"), "/release 42", staff=True, ticket=True),
    Command("pass", _pass, "/pass 42 @boris", staff=True, ticket=True, words=True),
    Command("reply", _reply, "/reply 42 …", staff=True, ticket=True, words=True),
    Command("note", _note, "/note 42 …", staff=True, ticket=True, words=True),
    Command("wait", _form("wait", "question"), "/wait 42", staff=True, ticket=True),
    Command("hold", _hold, "/hold 42 until 14:30", staff=True, ticket=True),
    Command("resume", _resume, "/resume 42", staff=True, ticket=True),
    Command("priority", _priority, "/priority 42 high", staff=True, ticket=True, words=True),
    Command("impact", weighing.impact, "/impact 42 high", staff=True, ticket=True, words=True),
    Command("level", _level, "/level 42 L2", staff=True, ticket=True, words=True),
    Command("resolve", _form("resolve", "solution"), "/resolve 42 …", staff=True, ticket=True),
    Command("merge", merging.merge, "/merge 42 into 17", staff=True, words=True),
    Command("unmerge", merging.unmerge, "/unmerge 42", staff=True, ticket=True),
    Command("relate", merging.relate, "/relate 42 17", staff=True, words=True),
    Command("unrelate", merging.unrelate, "/unrelate 42 17", staff=True, words=True),
    Command("split", merging.split, "/split", staff=True),
    Command("watch", company.watch, "/watch 42", staff=True, ticket=True),
    Command("unwatch", company.leave, "/unwatch 42", staff=True, ticket=True),
    Command("onit", _onit, "/onit 42", staff=True, ticket=True),
    Command("oncall", oncall.command, "/oncall", staff=True),
    Command("away", oncall.away, "/away until monday", staff=True),
    Command("snooze", _snooze, "/snooze 42 2h", staff=True, ticket=True),
)

_BY_NAME: Mapping[str, Command] = {
    name: command for command in COMMANDS for name in (command.name, *command.aliases)
}
