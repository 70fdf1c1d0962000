"""How each event of a ticket is told in one line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.flows import phrases
from bot.message import At, Fact, Plain, Several, Text, Words
from core.database.transaction import Transaction
from core.kernel.ids import PersonId
from core.people import store as people
from core.tickets.catalogue import Catalogue
from core.tickets.model import WATCHER

_WITH_WORDS = frozenset(
    {"released", "passed", "held", "resolved", "prioritised", "levelled", "commented", "noted"}
)


async def line(
    tx: Transaction, kind: str, actor: int | None, via: str, facts: Mapping[str, Any], *, whole: bool = False
) -> Text:
    """`Anna took it`; with the words that came along. `whole`: also with those that somebody deleted."""
    told: dict[str, Fact] = {"actor": await name(tx, actor), "via": phrases.via(via)}
    for key, value in facts.items():
        told |= await _fact(tx, key, value)
    key = f"event.{kind}"
    if kind == "held" and not facts.get("until"):
        key = "event.held_open"
    if kind == "pinged" and not facts.get("names"):
        key = "event.pinged_nobody"
    if variant := _VARIANTS.get(kind, {}).get(_how(kind, actor, facts)):
        key = variant
    words = facts.get("text") if kind in _WITH_WORDS or (whole and kind == "deleted") else None
    return Several((Words(key, told), Plain(words)), ": ") if words else Words(key, told)


_VARIANTS: Mapping[str, Mapping[str, str]] = {
    "opened": {"for": "event.opened_for", "split": "event.opened_split"},
    "prioritised": {
        "high": "event.affected_high",
        "normal": "event.affected_normal",
        "low": "event.affected_low",
    },
    "joined": {"watcher": "event.joined_watcher", "self": "event.joined_self"},
    "left": {"self": "event.left_self", "unwatch": "event.unwatched"},
    "deleted": {
        "reply": "event.deleted_reply",
        "reply_undo": "event.deleted_reply_undo",
        "note": "event.deleted_note",
    },
    "released": {"auto": "event.released_by_itself"},
    "levelled": {"auto": "event.levelled_by_itself"},
}


def _how(kind: str, actor: int | None, facts: Mapping[str, Any]) -> str:
    """In which of the ways it happened that are told in other words."""
    if kind == "opened":
        return "split" if facts.get("split") else "for" if facts.get("requester") != actor else ""
    if facts.get("auto"):
        return "auto"
    if kind == "prioritised":
        return str(facts.get("impact"))
    if facts.get("person") != actor:
        return str(facts.get("kind"))
    return "unwatch" if kind == "left" and facts.get("kind") == WATCHER else "self"


async def name(tx: Transaction, person: int | None) -> Text:
    """A person's name; the desk's own for nobody."""
    return Words("name.desk") if person is None else Plain((await people.get(tx, PersonId(person))).name)


def _pinged(tx: Transaction, name: str) -> Text:
    """A person's name; of a staff room, in which messenger it is."""
    if name not in tx.rule(Catalogue).by_space:
        return Plain(name)
    return Words("event.space", {"via": phrases.via(name.partition(":")[0])})


async def _fact(tx: Transaction, key: str, value: Any) -> dict[str, Fact]:
    match key:
        case "owner":
            return {"owner": await name(tx, value)}
        case "requester":
            return {"requester": await name(tx, value)}
        case "person":
            return {"person": await name(tx, value)}
        case "home" if value:
            return {"home": phrases.via(value.partition(":")[0])}
        case "until" if value:
            return {"until": At(datetime.fromisoformat(value))}
        case "names":
            return {"names": Several(tuple(_pinged(tx, each) for each in value), ", ")}
        case "priority" | "before" if value:
            return {key: phrases.priority(value)}
        case "reason":
            return {"reason": Words(f"undelivered.{value}")}
        case "queue" | "emoji":
            return {key: str(value)}
        case "words":
            return {"words": Plain(str(value) or "📎")}
        case "level" | "stars" | "to" | "split" | "into" | "ticket" | "apart":
            return {key: value}
    return {}
