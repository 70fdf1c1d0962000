"""The requester's talk after intake: which ticket their words belong to, and where they may go instead."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot import codes
from bot.flows import dialog as dialogs
from bot.flows import draft as drafts
from bot.flows import elsewhere as places
from bot.flows import intake, offer, phrases, verdict
from bot.flows.dialog import SKIP, Heard
from bot.flows.draft import Draft
from bot.flows.turn import Turn
from bot.i18n import in_every_language
from bot.message import Choice, Fact, Message, Paragraph, Plain, Several, Words
from core.dialogs import store as dialog_store
from core.dialogs.model import Dialog
from core.feedback import actions as feedback
from core.files import store as files
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import MessageId, TicketId
from core.outbox import store as posts
from core.tickets import actions as tickets
from core.tickets import company, doors, merging, queries
from core.tickets import store as ticket_store
from core.tickets.model import Said, Status, Ticket

CLOSED = "closed"
REOPEN, NEW = "reopen", "new"
MEANT = 3
"""So many tickets under way are offered for words that begin a thread."""
THANKS = re.compile(
    r"(большое |огромное )?(спасибо|благодарю|спс|thanks|thank you|thx|cheers|great|супер|отлично|класс)"
    r"( большое| огромное| a lot| so much| very much| all good)?"
)
YES = frozenset(
    {"yes", "yes it is", "fixed", "it works", "works", "да", "да все работает", "работает", "решено"}
)
NO = frozenset({"no", "nope", "not fixed", "still broken", "нет", "не работает", "не решено"})


async def said(turn: Turn, heard: Heard, reply_to: str | None) -> None:
    """Free words in a private conversation: a running ticket's, or the beginning of a new one."""
    ticket = await _meant(turn, heard, reply_to)
    if ticket is None and only_thanks(heard):
        ticket = await _last_talked_about(turn)
    unthreaded = ticket is None and turn.threads
    if unthreaded:
        ticket = await _answered(turn, heard)
    if ticket is None and turn.person.staff:
        await offer.ask(turn, intake.with_more(turn, Draft(), heard))
    elif ticket is None:
        draft = intake.with_more(turn, Draft(), heard)
        await intake.start(turn, draft, also=await _instead(turn))
    elif ticket.status is Status.CLOSED and not only_thanks(heard):
        await _closed(turn, ticket, heard)
    else:
        await _pass_on(turn, ticket, heard, elsewhere=unthreaded)


async def _answered(turn: Turn, heard: Heard) -> Ticket | None:
    """Bare thanks, and a bare yes or no, begin no request where each has its thread: they are meant for
    the ticket that spoke last, a yes or no for one that asks something."""
    thanks = only_thanks(heard)
    if heard.files or not (thanks or texts.search_text(heard.text) in YES | NO):
        return None
    mine = await queries.of_requester(turn.tx, turn.person.id)
    meant = [ticket for ticket in mine if thanks or ticket.status in (Status.WAITING, Status.RESOLVED)]
    spoken = [(await _spoke_at(turn, ticket), ticket.id, ticket) for ticket in meant]
    return max(spoken)[2] if spoken else None


async def _spoke_at(turn: Turn, ticket: Ticket) -> datetime:
    """When the requester was last answered or asked."""
    said = await ticket_store.messages_of(turn.tx, ticket.id)
    replies = [each.at for each in said if each.kind == "reply" and each.withdrawn_at is None]
    return max([ticket.created_at, *replies, *([ticket.resolved_at] if ticket.resolved_at else [])])


async def _instead(turn: Turn) -> list[tuple[Choice, ...]]:
    """Where words outside any thread begin a request: the tickets they may have been meant for."""
    if turn.incoming.where.thread is None:
        return []
    mine = (await _going(turn))[:MEANT]
    return [(Choice(codes.code("r", "into", ticket.id), phrases.heading(ticket)),) for ticket in mine]


async def _going(turn: Turn) -> list[Ticket]:
    """The tickets this person speaks in that are not closed: their own first, then those shared with them."""
    mine = await queries.unclosed_of(turn.tx, turn.person.id)
    return [*mine, *await queries.unclosed_shared(turn.tx, turn.person.id)]


async def _theirs(turn: Turn, number: TicketId | None) -> Ticket | None:
    """The ticket of this number, or what it goes on as, if that is this person's own or shared with them."""
    found = await ticket_store.find(turn.tx, number) if number else None
    ticket = await merging.standing(turn.tx, found) if found else None
    if ticket is None or not await company.belongs(turn.tx, ticket, turn.person.id):
        return None
    return ticket


async def _into(turn: Turn, number: TicketId) -> None:
    """What had begun a new request belongs to that ticket after all, and so does this thread."""
    under_way = await dialog_store.at(turn.tx, turn.place, turn.person.id)
    if under_way is None or under_way.flow != intake.FLOW:
        raise UserError("press.over")
    ticket = await _theirs(turn, number)
    if ticket is None or ticket.status is Status.CLOSED:
        raise UserError("press.over")
    draft = drafts.load(under_way.draft).without_questions()
    into = Several((Plain("→"), phrases.heading(ticket)), " ")
    await dialogs.close_question(turn, under_way, Words("talk.where_to"), into)
    await dialogs.end(turn, under_way)
    message = draft.source[1] if draft.source else None
    again = Heard(text=draft.text, files=draft.files, message=message)
    await _pass_on(turn, ticket, again, elsewhere=True)


async def _meant(turn: Turn, heard: Heard, reply_to: str | None) -> Ticket | None:
    """A reply belongs to the ticket of what it answers, a bare yes or no to the one that was asked about,
    other words to the one last talked about. Where every request is a thread, that alone tells."""
    if (thread := turn.incoming.where.thread) is not None:
        return await _last_talked_about(turn) or await _own_at(turn, thread)
    mine = await _going(turn)
    if reply_to is not None and (ticket := await _own_at(turn, reply_to)) is not None:
        return ticket
    if reply_to is not None and turn.person.staff and await _pointed_at(turn, reply_to) is not None:
        return None  # an answer to a ping, about a ticket of somebody else
    about = await dialog_store.about(turn.tx, turn.place, turn.person.id)
    last = next((ticket for ticket in mine if ticket.id == about), mine[0] if mine else None)
    asked = [each for each in mine if each.resolved_at and each.requester == turn.person.id]
    if asked and last and last.status is not Status.WAITING and texts.search_text(heard.text) in YES | NO:
        return max(asked, key=lambda ticket: (ticket.resolved_at, ticket.id))
    return last


async def _last_talked_about(turn: Turn) -> Ticket | None:
    """The ticket the talk was about, though it may be closed by now."""
    return await _theirs(turn, await dialog_store.about(turn.tx, turn.place, turn.person.id))


def only_thanks(heard: Heard) -> bool:
    return THANKS.fullmatch(texts.search_text(heard.text)) is not None and not heard.files


async def points_at_ticket(turn: Turn, remote: str) -> bool:
    """Whether that message of the conversation belongs to one of this person's tickets."""
    return await _own_at(turn, remote) is not None


async def _own_at(turn: Turn, remote: str) -> Ticket | None:
    """This person's ticket that the message of the conversation belongs to."""
    return await _theirs(turn, await _pointed_at(turn, remote))


async def _pointed_at(turn: Turn, remote: str) -> TicketId | None:
    if (post := await posts.at(turn.tx, turn.room, remote)) is not None:
        return post.ticket
    message = await ticket_store.message_at(turn.tx, turn.room, remote)
    return message.ticket if message else None


async def _pass_on(turn: Turn, ticket: Ticket, heard: Heard, *, elsewhere: bool = False) -> None:
    """The words become the ticket's; `elsewhere`: they were said for another one, or for none."""
    plain = texts.search_text(heard.text)
    own = ticket.requester == turn.person.id
    if own and ticket.status is Status.RESOLVED and not heard.files and plain in YES:
        await verdict.confirm(turn, ticket.id)
        if elsewhere:
            await turn.tell(_hint(ticket, "talk.fixed"))
        return
    if own and ticket.status is Status.RESOLVED and not heard.files and plain in NO:
        await verdict.reopen(turn, ticket.id)
        return
    thanks = only_thanks(heard) or (not own and not heard.files and plain in YES)
    source = intake.source(turn, heard)
    message = await tickets.say(
        turn.tx,
        turn.actor,
        ticket.id,
        heard.text,
        file_ids=heard.files,
        source=source,
        thanks=thanks,
        flood=turn.flood,
    )
    await dialog_store.turn_to(turn.tx, turn.place, turn.person.id, ticket.id)
    if turn.flood is not None:
        return
    if thanks and ticket.status in (Status.RESOLVED, Status.CLOSED):
        await turn.tell(_hint(ticket, "talk.thanks"))
    elif ticket.status is Status.RESOLVED:
        await turn.tell(_hint(ticket, "talk.reopened", message))
    elif elsewhere or not own or await _might_go_elsewhere(turn):
        await turn.tell(_hint(ticket, "talk.passed_on", message))
    if own:
        await places.tell_where(turn, ticket)


async def _might_go_elsewhere(turn: Turn) -> bool:
    """Whether it must be told where words went: there are several tickets, or perhaps none was meant, or a
    question stands open that they did not answer."""
    if turn.incoming.where.thread is not None:
        return False
    if await dialog_store.at(turn.tx, turn.place, turn.person.id) is not None:
        return True
    return turn.person.staff or len(await queries.unclosed_of(turn.tx, turn.person.id)) > 1


def _hint(ticket: Ticket, key: str, message: MessageId | None = None) -> Message:
    """What became of the words, and how to send them elsewhere."""
    facts: dict[str, Fact] = {"ticket": ticket.id, "title": Plain(ticket.title)}
    change = [phrases.button(codes.code("r", "change", message), "button.change")] if message else []
    rows = (tuple(change),) if change else ()
    return Message((Paragraph(Words(key, facts), "quiet"),), rows, tone="hint", ticket=ticket.id)


def passed_on(ticket: Ticket) -> Message:
    """That the words went to this ticket."""
    return _hint(ticket, "talk.passed_on")


async def change(turn: Turn, message_id: MessageId) -> None:
    """Those words belong elsewhere: to another ticket under way, or to a new one."""
    message = await _own_message(turn, message_id)
    mine = await _going(turn)
    rows: list[tuple[Choice, ...]] = [
        (Choice(codes.code("r", "move", message_id, ticket.id), phrases.heading(ticket)),)
        for ticket in mine
        if ticket.id != message.ticket
    ]
    rows.append((phrases.button(codes.code("r", "move", message_id, 0), "button.new_request"),))
    question = Message((Paragraph(Words("talk.where_to")),), tuple(rows))
    await turn.tell(question, slot=f"move:{message_id}")


async def move(turn: Turn, message_id: MessageId, to: TicketId) -> None:
    """Take the words out of one ticket and say them in another, or begin a new one with them."""
    message = await _own_message(turn, message_id)
    await turn.tell(Message((Paragraph(Words("talk.moving"), "quiet"),)), slot=f"move:{message_id}")
    carried = tuple(file.id for file in await files.of_message(turn.tx, message_id))
    heard = Heard(text=message.text, files=carried, message=message.remote)
    if to:
        there = await _theirs(turn, to)
        if there is None:
            raise UserError("ticket.unknown", ticket=to)
        await _leave_request_of(turn, message_id)
        await tickets.move_away(turn.tx, turn.actor, message.ticket, message_id, to)
        await _pass_on(turn, there, heard, elsewhere=True)
        return
    await intake.start(
        turn, replace(intake.with_more(turn, Draft(), heard), moved=(message.ticket, message_id))
    )


async def _leave_request_of(turn: Turn, message_id: MessageId) -> None:
    """A new request that was to begin with these words gives way."""
    under_way = await dialog_store.at(turn.tx, turn.place, turn.person.id)
    moved = under_way.draft.get("moved") if under_way is not None else None
    if moved and moved[1] == message_id:
        await dialogs.leave(turn)


async def _own_message(turn: Turn, message_id: MessageId) -> Said:
    message = await ticket_store.message(turn.tx, message_id)
    if message is None or message.author != turn.person.id or message.withdrawn_at is not None:
        raise UserError("press.over")
    if not await tickets.may_move(turn.tx, message):
        raise UserError("press.over")
    return message


async def _closed(turn: Turn, ticket: Ticket, heard: Heard) -> None:
    dialog = await dialogs.begin(
        turn, CLOSED, CLOSED, {"ticket": ticket.id, **drafts.dump(intake.with_more(turn, Draft(), heard))}
    )
    again = dialogs.button(dialog, REOPEN, Words("button.reopen"))
    fresh = dialogs.button(dialog, NEW, Words("button.new_request"), style="primary")
    text = Words("talk.closed", {"ticket": ticket.id, "title": Plain(ticket.title)})
    row = (again, fresh) if tickets.may_reopen(turn.tx, ticket) else (fresh,)
    await dialogs.ask(turn, dialog, Message((Paragraph(text),), (row,)))


async def _way(turn: Turn, number: TicketId, heard: Heard) -> str | None:
    """Which of the offered ways was pressed, or named in words or by number."""
    again = tickets.may_reopen(turn.tx, await ticket_store.get(turn.tx, number))
    ways = {REOPEN: "button.reopen", NEW: "button.new_request"} if again else {NEW: "button.new_request"}
    if heard.choice is not None and heard.choice not in ways:
        raise UserError("press.stale")
    if heard.choice is not None:
        return heard.choice
    place = intake.picked(heard, [in_every_language(key) for key in ways.values()])
    return None if place is None else list(ways)[place]


async def hear_closed(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """Words about a closed ticket: it is reopened with them, or a new one begins that goes on from it."""
    number = TicketId(dialog.draft["ticket"])
    draft = drafts.load({key: value for key, value in dialog.draft.items() if key != "ticket"})
    way = await _way(turn, number, heard)
    if way is None:
        draft = intake.with_more(turn, draft, heard)
    asked = Words("talk.closed_short", {"ticket": number})
    if way == REOPEN:
        await tickets.reopen(turn.tx, turn.actor, number)
        await dialogs.close_question(turn, dialog, asked, Words("button.reopen"))
        await dialogs.end(turn, dialog)
        message = draft.source[1] if draft.source else None
        again = Heard(text=draft.text, files=draft.files, message=message)
        await _pass_on(turn, await ticket_store.get(turn.tx, number), again, elsewhere=True)
        return
    answered = await dialogs.answered(turn, dialog, asked, Words("button.new_request"))
    await dialogs.end(turn, dialog)
    await intake.start(turn, replace(draft, origin=number), slot=dialogs.slot(answered))


# ---- after the rating


async def hear_comment(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """Words soon after the rating are its comment; later ones, and files, are about something else."""
    if heard.choice not in (None, SKIP):
        raise UserError("press.stale")
    asked, number = Words("rating.ask_comment"), TicketId(dialog.draft["ticket"])
    late = turn.tx.now > datetime.fromisoformat(dialog.draft["until"])
    await dialogs.end(turn, dialog)
    if heard.choice == SKIP or late or heard.files:
        await dialogs.close_question(turn, dialog, asked, Words("button.no_comment"))
        if heard.choice is None:
            await said(turn, heard, None)
        return
    await feedback.comment(turn.tx, turn.actor, number, heard.text)
    await dialogs.close_question(turn, dialog, asked, Words("rating.comment_thanks"))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of the requester's talk."""
    match list(words):
        case ["yes", number]:
            await _check_asked(turn, TicketId(int(number)), Status.RESOLVED)
            await verdict.confirm(turn, TicketId(int(number)))
        case ["no" | "reopen", number]:
            await _check_asked(turn, TicketId(int(number)), Status.RESOLVED, Status.CLOSED)
            await verdict.reopen(turn, TicketId(int(number)))
        case ["rate", number, stars]:
            await verdict.rate(turn, TicketId(int(number)), int(stars))
        case ["into", number]:
            await _into(turn, TicketId(int(number)))
        case ["change", message]:
            await change(turn, MessageId(int(message)))
        case ["move", message, to]:
            await move(turn, MessageId(int(message)), TicketId(int(to)))
        case _:
            raise UserError("press.stale")


async def _check_asked(turn: Turn, number: TicketId, *when: Status) -> None:
    """Raises UserError for an answer to a question that is settled."""
    if (await doors.seen(turn.tx, turn.actor, number)).status not in when:
        raise UserError("press.over")
