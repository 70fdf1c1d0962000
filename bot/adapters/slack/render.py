"""Showing: a message as Block Kit blocks within Slack's limits, with people's own words as words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.adapters.port import Reader
from bot.adapters.slack import blocks, limits, lines, mrkdwn
from bot.adapters.slack.blocks import Shown
from bot.adapters.slack.lines import Line
from bot.adapters.slack.mrkdwn import Json
from bot.message import Attachment, Call, Message, Words
from core.kernel import text as texts
from core.kernel.ids import Identity


@dataclass(frozen=True, slots=True)
class Part:
    """One message of Slack. `text` is what notifications tell: escaped, never empty, below 4,000 bytes."""

    text: str
    blocks: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file, and the line that stands in its place where it cannot be shown."""

    file: Attachment
    instead: Part


@dataclass(frozen=True, slots=True)
class Look:
    """A message as Slack shows it: its parts, the buttons in the last, the files after it."""

    parts: tuple[Part, ...]
    files: tuple[File, ...] = ()


def look(message: Message, reader: Reader, now: datetime, team: str) -> Look:
    """Word the message for its reader and fit it into Slack's limits; nothing is cut.

    Whoever is called is mentioned by their account in the workspace `team`."""
    word = lines.wording(reader, now)
    labels = (choice.label for row in message.rows for choice in row)
    said = [*lines.of_message(message, word), *lines.in_full(labels, word)]
    user = _user(message.call, team)
    if message.call is not None:
        said = _called(said, message.call.name, user)
    parts = _parts([*blocks.of_lines(said), *blocks.of_rows(message.rows, word)], user)
    files = tuple(
        File(block, _part(blocks.of_lines(lines.prose(word(_not_shown(block))))))
        for block in message.blocks
        if isinstance(block, Attachment)
    )
    return Look(parts, files)


def _not_shown(file: Attachment) -> Words:
    if file.size > limits.FILE:
        size, limit = -(-file.size // 1_000_000), limits.FILE // 1_000_000
        return Words("file.too_large_to_show", {"name": file.name, "size": size, "limit": limit})
    return Words("file.not_shown", {"name": file.name})


# ---- calling somebody


def _user(call: Call | None, team: str) -> str | None:
    """The user of this workspace who is called, if they have an account there."""
    identities = map(Identity.parse, call.identities if call else ())
    accounts = (each.account.partition("/") for each in identities if each.platform == "slack")
    return next((user for workspace, _, user in accounts if workspace == team), None)


def _called(said: Sequence[Line], name: str, user: str | None) -> list[Line]:
    """The lines after the mention of a user, or after a name."""
    spoken = name if user is None else ""
    shown = mrkdwn.rich(name, bold=True) if user is None else ({"type": "user", "user_id": user},)
    if not said or said[0].kind != "text":
        return [Line("text", spoken, shown), *said]
    first, *rest = said
    words = f"{spoken} {first.words}".lstrip()
    return [replace(first, words=words, elements=(*shown, *mrkdwn.rich(" "), *first.elements)), *rest]


# ---- parts


def _parts(shown: Iterable[Shown], user: str | None) -> tuple[Part, ...]:
    """The blocks in as few messages as Slack takes; the mention of the user stands in the first."""
    groups: list[list[Shown]] = []
    for each in shown:
        if not groups or len(groups[-1]) == limits.BLOCKS or _over([*groups[-1], each]):
            groups.append([])
        groups[-1].append(each)
    return tuple(_part(group, None if place else user) for place, group in enumerate(groups))


def _over(group: Sequence[Shown]) -> bool:
    return sum(each.size for each in group) > limits.MESSAGE


def _part(shown: Sequence[Shown], user: str | None = None) -> Part:
    """The blocks with their words; those of buttons only where there are no others."""
    words = [each.words for each in shown if each.block["type"] != "actions"] or [shown[-1].words]
    called = f"<@{user}> " if user else ""
    text = f"{called}{mrkdwn.escape(_brief(chr(10).join(words)))}".strip()
    return Part(text or "…", tuple(each.block for each in shown))


def _brief(words: str) -> str:
    """The beginning of the words; the rest is in the blocks."""
    if texts.utf16_len(words) <= limits.FALLBACK:
        return words
    return words[: texts.boundary(words, 0, texts.reach(words, 0, limits.FALLBACK - 1))] + "…"
