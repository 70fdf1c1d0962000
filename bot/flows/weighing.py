"""Why a ticket has its priority, told; and `/impact 42 high`: for how many it is felt."""

from bot.flows import story
from bot.flows.turn import Turn
from bot.message import Fact, Message, Paragraph, Plain, Several, Text, Words
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.tickets import priorities
from core.tickets import store as tickets
from core.tickets.catalogue import Impact
from core.tickets.model import Ticket


async def impact(turn: Turn, number: TicketId, rest: str) -> None:
    """The matrix says the priority anew. Raises UserError naming the impacts where it is none of them."""
    word, _, reason = rest.partition(" ")
    if word.casefold() not in tuple(Impact):
        raise UserError("impact.valid", impacts=", ".join(Impact))
    await priorities.affect(turn.tx, turn.actor, number, Impact(word.casefold()), reason.strip())
    if turn.about != number:
        await turn.tell(Message((Paragraph(Words("work.done", {"ticket": number}), "quiet"),), tone="hint"))


async def why(turn: Turn, ticket: Ticket) -> Text:
    """What the priority follows from: `high: urgency normal × impact high, VIP`."""
    found = priorities.reasons(await tickets.timeline(turn.tx, ticket.id))
    facts: dict[str, Fact] = {
        "priority": Words(f"priority.{ticket.priority}"),
        "urgency": Words(f"why.urgency_{found.weight.urgency}"),
        "impact": Words(f"why.impact_{found.weight.impact}"),
        "name": await story.name(turn.tx, found.by),
    }
    weighed = found.how in ("weighed", "affected")
    told: list[Text] = [Words("why.weighed" if weighed else f"why.{found.how}", facts)]
    if weighed and found.vip:
        told.append(Words("why.vip"))
    if found.how == "affected":
        told.append(Words("why.affected", facts))
    line: Text = Several(tuple(told), ", ")
    return Several((line, Plain(found.text)), ": ") if found.text else line
