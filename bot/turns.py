"""What an event means: a command, a step of a dialog, words for a ticket, a press, a form, an edit."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import codes
from bot.flows import (
    automatic,
    changing,
    commands,
    company,
    crowd,
    dialog,
    emergency,
    finding,
    flood,
    home,
    linking,
    merging,
    oncall,
    phrases,
    reach,
    reacting,
    report,
    talk,
    work,
)
from bot.flows import flows as flow_table
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from bot.i18n import guess
from bot.incoming import (
    Deleted,
    Edited,
    Incoming,
    Opened,
    Pressed,
    Reacted,
    Said,
    Sender,
    Submitted,
    Trouble,
    What,
)
from bot.message import Block, Message, Paragraph, Plain, Quote, Words
from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.files.model import File
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.outbox import store as posts
from core.people import actions as people
from core.people.model import Person
from core.tickets import actions as tickets
from core.tickets import answering
from core.tickets import store as ticket_store
from core.tickets.catalogue import Catalogue

Fetched = Mapping[str, File | None]
"""Files brought here for an event, by the adapter's handle; None for one that cannot be had."""


TYPED = 20
"""A value longer than this was typed, not chosen."""


async def meet(tx: Transaction, sender: Sender, otherwise: str) -> Person:
    """Whoever that is, known from now on; `otherwise` is their language where their account tells none."""
    language = guess(sender.language, otherwise)
    return await people.meet(tx, sender.identity, name=sender.name, language=language)


async def act(turn: Turn, fetched: Fetched) -> None:
    match turn.incoming.what:
        case Said() as said:
            await _said(turn, said, fetched)
        case Pressed(code=code):
            await _press(turn, code)
        case Submitted(code=code, values=values):
            await _submit(turn, code, values)
        case Edited() if turn.incoming.sender.automatic and not await automatic.may_edit(turn):
            return
        case Edited(text=text, message=message):
            await changing.edited(turn, message, texts.clean(text))
        case Deleted(message=message):
            await changing.deleted(turn, message)
        case Reacted() as reacted:
            await _react(turn, reacted)
        case Trouble(kind=kind, room=room):
            await crowd.trouble(turn, kind, room)
        case Opened():
            await home.show(turn)


def refused(incoming: Incoming, error: UserError) -> Message:
    """What a person reads of a refusal. Of a form it names the field, in case it stands open still; below
    are the words typed into it, so that none are lost where it is gone."""
    blocks: list[Block] = [Paragraph(phrases.error(error))]
    if not isinstance(incoming.what, Submitted):
        return Message(tuple(blocks), tone="hint")
    blocks += [Quote(Plain(texts.clean(value))) for _, value in incoming.what.values if len(value) > TYPED]
    waits = incoming.what.press is not None
    return Message(tuple(blocks), tone="hint", field=str(error.facts.get("field", "")) if waits else None)


async def _said(turn: Turn, said: Said, fetched: Fetched) -> None:
    text = texts.clean(said.text)
    brought = [carried.kept or _id(fetched.get(carried.key)) for carried in said.files]
    heard = Heard(text=text, files=tuple(file for file in brought if file), message=said.message)
    if turn.incoming.sender.automatic:
        await automatic.said(await flood.measured(turn), heard, said.reply_to)
        return
    if not text.strip() and not heard.files:
        quoted = crowd.wanted(turn.incoming)
        if quoted is not None and turn.room not in turn.catalogue.by_space:
            await crowd.make_ticket(turn, quoted)
        elif said.files or said.addressed or turn.about is not None:
            await turn.tell(phrases.hint(_lost(said, brought) or Words(_how(turn))))
        return
    kept = await ticket_store.newest_message(turn.tx) if said.reply_to and not turn.threads else None
    await _heard(turn, said, heard)
    if kept is not None and said.reply_to:
        await answering.note(turn.tx, kept, turn.room, said.reply_to)
    if (lost := _lost(said, brought)) is not None:
        await turn.tell(phrases.hint(lost))


async def _heard(turn: Turn, said: Said, heard: Heard) -> None:
    text = heard.text
    under_way = await dialogs.at(turn.tx, turn.place, turn.person.id)
    waiting = None
    if under_way is not None and not await work.answers(turn, under_way, said.reply_to):
        waiting, under_way = under_way, None
    pointing = turn.incoming.private and turn.incoming.where.thread is None
    if pointing and said.reply_to and await talk.points_at_ticket(turn, said.reply_to):
        under_way = None
    if commands.is_command(turn, text):
        await commands.run(replace(turn, files=heard.files), text.strip(), said.quoted)
        return
    if turn.room not in turn.catalogue.by_space:
        turn = await flood.measured(turn)
    if under_way is not None and turn.flood is not None and await flood.gather(turn, under_way, heard):
        return
    elif under_way is not None:
        await flow_table.FLOWS[under_way.flow](turn, under_way, heard)
    elif await flood.gather_apart(turn, heard):
        return
    elif turn.incoming.private:
        await talk.said(turn, heard, said.reply_to)
    elif turn.about is not None:
        await work.said(turn, heard, said.reply_to)
        if waiting is not None and waiting.draft["ticket"] == turn.about:
            await work.remind(turn, waiting)
    elif turn.room not in turn.catalogue.by_space:
        await crowd.own(turn, heard, said)
    elif turn.threads and said.addressed:
        await turn.tell(phrases.hint(Words(_how(turn))))


def _how(turn: Turn) -> str:
    """What is told of what can be done here, for the desk was spoken to and does not know what to do."""
    if turn.incoming.private or not turn.threads:
        return "talk.unreadable"
    return "work.how" if turn.room in turn.catalogue.by_space else "start.hello"


def _lost(said: Said, brought: Sequence[str | None]) -> Words | None:
    """Why some of the files are not here."""
    lost = [carried for carried, file in zip(said.files, brought, strict=True) if file is None]
    large = [carried.limit for carried in lost if carried.too_large and carried.limit]
    if large:
        return Words("file.too_large", {"limit": large[0] // 1_000_000})
    return Words("file.not_taken") if lost else None


def _id(file: File | None) -> str | None:
    return file.id if file else None


async def ticket_of_thread(tx: Transaction, incoming: Incoming) -> TicketId | None:
    """The ticket in whose thread of a staff space this happened."""
    where = incoming.where
    if incoming.private or str(where.space) not in tx.rule(Catalogue).by_space:
        return None
    room = str(where.space)
    if where.thread and (card := await posts.thread_at(tx, room, where.thread)) is not None:
        return card.ticket
    pointed = _pointed_at(incoming.what)
    if pointed is None:
        return None
    if (post := await posts.at(tx, room, pointed)) is not None:
        return post.ticket
    message = await ticket_store.message_at(tx, room, pointed)
    return message.ticket if message else None


def _pointed_at(what: What) -> str | None:
    """The message of the room that somebody answers, presses or puts an emoji under."""
    match what:
        case Said(reply_to=message):
            return message
        case Pressed(message=message):
            return message
        case Reacted(message=message):
            return message
    return None


async def _react(turn: Turn, reacted: Reacted) -> None:
    """A second door: eyes under a card take the ticket, a tick resolves it, a ticket makes one."""
    emoji, apart = reacted.emoji.removesuffix("\ufe0f"), turn.room not in turn.catalogue.by_space
    asks = emoji == crowd.TICKET_EMOJI and not turn.incoming.private
    if apart and not asks and await reacting.heard(turn, reacted.emoji, reacted.message):
        return
    if emoji == crowd.TICKET_EMOJI and apart:
        await crowd.make_ticket(turn, reacted.quoted)
    if turn.about is None or not turn.person.staff:
        return
    act = _BY_EMOJI.get(emoji)
    if act is not None and await _is_card(turn, reacted.message):
        await act(turn.tx, turn.actor, turn.about)


async def _is_card(turn: Turn, remote: str) -> bool:
    """Whether that message of the room is the ticket itself, and not only something said of it."""
    post = await posts.at(turn.tx, turn.room, remote)
    return post is not None and post.slot == f"card:{turn.about}"


_BY_EMOJI = {"👀": tickets.take, "✅": tickets.resolve}


async def _press(turn: Turn, code: str) -> None:
    """Do what a button stands for. Raises UserError for one that means nothing any more."""
    kind, *words = codes.parts(code)
    try:
        match kind:
            case "d" if len(words) == 3:
                under_way = await dialog.pressed(turn, words[0], words[1])
                await flow_table.FLOWS[under_way.flow](turn, under_way, Heard(choice=words[2]))
            case "t":
                await work.pressed(turn, words)
            case "r":
                await talk.pressed(turn, words)
            case "f":
                await work.open_form(turn, words)
            case "e":
                await emergency.pressed(turn, words)
            case "n":
                await report.begin(turn)
            case "c":
                await company.pressed(turn, words)
            case "g":
                await merging.pressed(turn, words)
            case "i":
                await linking.pressed(turn, words)
            case "s":
                await finding.pressed(turn, words)
            case "o":
                await flood.pressed(turn, words)
            case "w":
                await reach.pressed(turn, words)
            case "v":
                await oncall.pressed(turn, words)
            case "l" if len(words) == 1:
                await commands.speak(turn, words[0])
            case "m" if len(words) == 2:
                await work.unfold(turn, TicketId(int(words[0])), unfolded=words[1] == "1")
            case _:
                raise UserError("press.stale")
    except ValueError:  # a number that is none
        raise UserError("press.stale") from None


async def _submit(turn: Turn, code: str, values: Sequence[tuple[str, str]]) -> None:
    kind, *words = codes.parts(code)
    if kind == "n":
        await report.submitted(turn, words, values)
    else:
        await work.submitted(turn, words, values)
