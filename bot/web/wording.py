"""The transcript in the viewer's words: the JSON that the page shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, assert_never, cast

from bot import i18n
from bot.adapters.webchat.store import Entry
from bot.message import Attachment, Block, Choice, Fact, Facts, Form, Input, Paragraph, Quote, Text, Words
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whose eyes something is worded."""

    identity: Identity
    seat: str
    language: str
    time_zone: str

    def word(self, text: Text, now: datetime) -> str:
        return i18n.word(text, self.language, time_zone=self.time_zone, now=now)


def message(entry: Entry, viewer: Viewer, now: datetime) -> dict[str, Any]:
    """A message as the page takes it."""
    said = entry.message
    desk = entry.author is None and said.author is None
    author = Words("web.author.desk") if said.author is None else said.author
    return {
        "id": entry.id,
        "seq": entry.seq,
        "room": entry.room,
        "thread": entry.thread,
        "at": entry.created_at.isoformat(),
        "edited": entry.edited,
        "deleted": entry.deleted,
        "mine": entry.author == str(viewer.identity),
        "author": {"name": viewer.word(author, now), "desk": desk},
        "tone": said.tone,
        "ticket": said.ticket,
        "over": said.over,
        "only": entry.only_for is not None,
        "delivered": "",
        "blocks": [_block(block, viewer, now) for block in said.blocks],
        "rows": [[_choice(choice, viewer, now) for choice in row] for row in said.rows],
    }


def _block(block: Block, viewer: Viewer, now: datetime) -> dict[str, Any]:
    match block:
        case Paragraph():
            words = viewer.word(block.text, now)
            return {"kind": "paragraph", "style": block.style, "text": words, **_marks(words)}
        case Quote():
            words = viewer.word(block.text, now)
            return {"kind": "quote", "text": words, **_marks(words)}
        case Facts():
            rows = [[viewer.word(name, now), viewer.word(value, now)] for name, value in block.rows]
            return {"kind": "facts", "rows": rows}
        case Attachment():
            return {
                "kind": "attachment",
                "id": block.file_id,
                "name": block.name,
                "mime": block.mime,
                "size_text": viewer.word(size(block.size), now),
                "url": f"/s/{viewer.seat}/files/{block.file_id}",
            }
        case _:
            assert_never(block)


def _marks(words: str) -> dict[str, Any]:
    """What is set apart in the words, counted as the page counts."""
    found = [
        [mark.kind, *(texts.utf16_len(str(words)[:at]) for at in (mark.start, mark.end))]
        for mark in marked.marks_of(words)
    ]
    return {"marks": found} if found else {}


def _choice(choice: Choice, viewer: Viewer, now: datetime) -> dict[str, Any]:
    return {
        "code": choice.code,
        "label": viewer.word(choice.label, now),
        "style": choice.style,
        "menu": choice.menu,
        "form": None if choice.form is None else _form(choice.form, viewer, now),
    }


def _form(form: Form, viewer: Viewer, now: datetime) -> dict[str, Any]:
    return {
        "code": form.code,
        "title": viewer.word(form.title, now),
        "submit": viewer.word(form.submit, now),
        "fields": [_input(field, viewer, now) for field in form.fields],
    }


def _input(field: Input, viewer: Viewer, now: datetime) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": viewer.word(field.label, now),
        "kind": field.kind,
        "required": field.required,
        "long": field.long,
        "hint": "" if field.hint is None else viewer.word(field.hint, now),
        "options": [
            {"value": option.value, "label": viewer.word(option.label, now)} for option in field.options
        ],
    }


def size(count: int) -> Text:
    """How large a file is, roughly."""
    for key, unit in (("web.size.mb", 1_000_000), ("web.size.kb", 1_000)):
        if count >= unit:
            return Words(key, {"size": round(count / unit)})
    return Words("web.size.bytes", {"size": count})


def sentence(error: UserError, language: str, now: datetime) -> str:
    """What an error says to the person."""
    facts = cast("Mapping[str, Fact]", error.facts)
    return i18n.word(Words(error.key, facts, error.count), language, time_zone="UTC", now=now)


def page_words(language: str) -> Mapping[str, str]:
    """Every sentence that the page says by itself."""
    return dict(i18n.keys("page.", language))
