"""Block Kit's blocks, judged as Slack does, and given the names Slack gives them."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.emulators.slack import elements, limits, mrkdwn
from tests.emulators.slack.elements import BOTH, Judge, Piece, Problems
from tests.emulators.slack.refusals import Refused


def section(problems: Problems, block: Piece, at: str) -> None:
    if block.get("text") is None and not block.get("fields"):
        problems.add("must have text or fields", at)
    if block.get("text") is not None:
        elements.text(problems, block["text"], limits.SECTION_TEXT, f"{at}/text", BOTH)
    if block.get("fields") is not None:
        for number, field in enumerate(
            problems.count(block["fields"], limits.SECTION_FIELDS, f"{at}/fields")
        ):
            elements.text(problems, field, limits.FIELD_TEXT, f"{at}/fields/{number}", BOTH)
    if block.get("accessory") is not None:
        elements.element(problems, block["accessory"], elements.ACCESSORIES, f"{at}/accessory")


def header(problems: Problems, block: Piece, at: str) -> None:
    elements.text(problems, block.get("text"), limits.HEADER_TEXT, f"{at}/text")


def context(problems: Problems, block: Piece, at: str) -> None:
    found = problems.count(block.get("elements"), limits.CONTEXT_ELEMENTS, f"{at}/elements")
    for number, one in enumerate(found):
        if isinstance(one, dict) and one.get("type") == "image":
            elements.image(problems, one, f"{at}/elements/{number}")
        else:
            elements.text(problems, one, limits.SECTION_TEXT, f"{at}/elements/{number}", BOTH)


def actions(problems: Problems, block: Piece, at: str) -> None:
    found = problems.count(block.get("elements"), limits.ACTIONS_ELEMENTS, f"{at}/elements")
    for number, one in enumerate(found):
        elements.element(problems, one, elements.ACTIONS, f"{at}/elements/{number}")


def inquiry(problems: Problems, block: Piece, at: str) -> None:
    elements.text(problems, block.get("label"), limits.INPUT_LABEL, f"{at}/label")
    if block.get("hint") is not None:
        elements.text(problems, block["hint"], limits.INPUT_HINT, f"{at}/hint")
    elements.element(problems, block.get("element"), elements.INPUTS, f"{at}/element")


def image(problems: Problems, block: Piece, at: str) -> None:
    elements.image(problems, block, at)
    if block.get("title") is not None:
        elements.text(problems, block["title"], limits.IMAGE_TITLE, f"{at}/title")


def markdown(problems: Problems, block: Piece, at: str) -> None:
    problems.length(block.get("text"), limits.MARKDOWN_TEXT, f"{at}/text")


def rich_text(problems: Problems, block: Piece, at: str) -> None:
    kinds = {f"rich_text_{kind}" for kind in ("section", "list", "preformatted", "quote")}
    for number, one in enumerate(problems.count(block.get("elements"), 10_000, f"{at}/elements")):
        if not isinstance(one, dict) or one.get("type") not in kinds:
            problems.add("unsupported type", f"{at}/elements/{number}")


def table(problems: Problems, block: Piece, at: str) -> None:
    for number, row in enumerate(problems.count(block.get("rows"), limits.TABLE_ROWS, f"{at}/rows")):
        problems.count(row, limits.TABLE_COLUMNS, f"{at}/rows/{number}")


def divider(problems: Problems, block: Piece, at: str) -> None:
    """Nothing of its own to judge."""


EVERYWHERE: dict[str, Judge] = {"section": section, "header": header, "context": context, "actions": actions}
EVERYWHERE |= {"image": image, "divider": divider, "rich_text": rich_text, "input": inquiry, "video": divider}
IN_MESSAGES = EVERYWHERE | {"markdown": markdown, "table": table, "file": divider}
IN_VIEWS = EVERYWHERE


def judged(found: Any, known: dict[str, Judge], most: int, at: str = "/blocks") -> Problems:
    """Everything that is wrong with a list of blocks."""
    problems = Problems()
    blocks = problems.count(found, most, at, least=0)
    ids: set[str] = set()
    tables = 0
    for number, block in enumerate(blocks):
        here = f"{at}/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        if kind not in known:
            problems.add(f"unsupported block type: {kind}", here)
            continue
        known[kind](problems, block, here)
        tables += kind == "table"
        if "block_id" in block:
            problems.length(block["block_id"], limits.BLOCK_ID, f"{here}/block_id")
            if block["block_id"] in ids:
                problems.add(f"`block_id` is not unique: {block['block_id']}", f"{here}/block_id")
            ids.add(str(block["block_id"]))
        names = [one["action_id"] for one in interactive(block) if one.get("action_id")]
        for name in {name for name in names if names.count(name) > 1}:
            problems.add(f"`action_id` is not unique in its block: {name}", here)
    written = sum(len(str(one.get("text", ""))) for one in blocks if _is(one, "markdown"))
    if written > limits.MARKDOWN_TEXT and not problems.found:
        problems.add(
            f"all markdown blocks together must be less than {limits.MARKDOWN_TEXT + 1} characters", at
        )
    if tables > 1:
        problems.add("no more than 1 table block allowed", at)
    return problems


def _is(block: Any, kind: str) -> bool:
    return isinstance(block, dict) and block.get("type") == kind


def interactive(block: Piece) -> Iterator[Piece]:
    """What in a block can be pressed, chosen or filled."""
    inside = list(block.get("elements") or []) if block.get("type") == "actions" else []
    for one in [*inside, block.get("accessory"), block.get("element")]:
        if isinstance(one, dict) and one.get("type") not in elements.NAMELESS:
            yield one


def for_message(found: Any) -> list[Piece]:
    """The blocks of a message, named; refused if anything is wrong with them."""
    if not isinstance(found, list):
        raise Refused("invalid_blocks_format")
    problems = judged(found, IN_MESSAGES, limits.BLOCKS_IN_MESSAGE)
    if problems.found:
        errors = [words.removeprefix("[ERROR] ") for words in problems.found]
        raise Refused("invalid_blocks", messages=problems.found, errors=errors)
    if sum(written(block) for block in found) > limits.MESSAGE_BLOCKS:
        raise Refused("msg_blocks_too_long")
    return named(found)


def written(value: Any) -> int:
    """The characters of all texts in it."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(written(one) for name, one in value.items() if not isinstance(one, str))
    return sum(written(one) for one in value) if isinstance(value, list) else 0


_numbers = itertools.count(1)


def named(found: list[Piece], fresh: Callable[[], str] | None = None) -> list[Piece]:
    """Slack names the blocks and elements that have no name, spells some defaults out, and escapes what is
    not escaped, in plain text too."""
    name = fresh or (lambda: f"b{next(_numbers):04X}")
    blocks: list[Piece] = json.loads(json.dumps(found))
    for block in blocks:
        block.setdefault("block_id", name())
        for one in interactive(block):
            one.setdefault("action_id", name())
        if block["type"] == "input":
            block.setdefault("optional", False)
            block.setdefault("dispatch_action", False)
        for one in text_objects(block):
            if one["type"] == "plain_text":
                one.setdefault("emoji", True)
                one["text"] = mrkdwn.bare(one["text"])
            else:
                one.setdefault("verbatim", False)
                one["text"] = mrkdwn.normal(one["text"])
    return blocks


def text_objects(value: Any) -> Iterator[Piece]:
    if isinstance(value, dict):
        if value.get("type") in BOTH:
            yield value
        for one in value.values():
            yield from text_objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from text_objects(one)
