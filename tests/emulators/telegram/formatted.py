"""Text as it stands after parsing: what a call's text, markup and entities come to, and whether it fits."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulators.telegram import entities, markup_html, markup_markdown
from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.entities import Entity
from tests.emulators.telegram.refusals import bad

if TYPE_CHECKING:
    from tests.emulators.telegram.people import User

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024


@dataclass(frozen=True)
class Formatted:
    text: str = ""
    entities: list[Entity] = field(default_factory=list)


def text(arguments: Arguments, users: "dict[int, User]") -> Formatted:
    """Bot API: sendMessage. 1-4096 characters after entities parsing, counted in UTF-16 units."""
    raw = arguments.text("text")
    if not raw:
        raise bad("message text is empty")
    parsed = _parsed(raw, arguments.text("parse_mode"), arguments.list("entities"), users)
    if not parsed.text:
        raise bad("text must be non-empty")
    if entities.units(parsed.text) > TEXT_LIMIT:
        raise bad("message is too long")
    return parsed


def caption(arguments: Arguments, users: "dict[int, User]") -> Formatted:
    """Bot API: sendDocument and the like. 0-1024 characters after entities parsing."""
    raw = arguments.text("caption")
    parsed = _parsed(raw, arguments.text("parse_mode"), arguments.list("caption_entities"), users)
    if entities.units(parsed.text) > CAPTION_LIMIT:
        raise bad("message caption is too long")
    return parsed


def _parsed(raw: str, mode: str, given: list[Entity], users: "dict[int, User]") -> Formatted:
    """Bot API: parse_mode and entities are alternatives; with a mode the list is not looked at."""
    marked: list[Entity]
    match mode.lower():
        case "html":
            plain, marked = markup_html.parse(raw)
        case "markdownv2":
            plain, marked = markup_markdown.parse(raw)
        case "markdown":
            plain, marked = markup_markdown.parse_old(raw)
        case "":
            plain, marked = raw, entities.checked(raw, given)
        case _:
            raise bad("unsupported parse_mode")
    plain, marked = entities.trimmed(plain, [known for one in marked if (known := _mention(one, users))])
    return Formatted(plain, entities.found(plain, marked))


def _mention(one: Entity, users: "dict[int, User]") -> Entity | None:
    """Bot API: mentions of a person by id work only for people the bot has met; others vanish without a
    word."""
    if one["type"] != "text_mention":
        return one
    person = users.get(int(one.get("user", {}).get("id", 0)))
    return {**one, "user": person.json()} if person is not None and person.met else None
