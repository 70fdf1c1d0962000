"""What Slack takes of what we hand it, and what its reader then reads."""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import Block

from bot.adapters.slack import limits, lines
from bot.adapters.slack.render import Part
from tests.emulators.slack import blocks, mrkdwn, views
from tests.emulators.slack.mrkdwn import Seen

Json = dict[str, Any]


def taken(part: Part) -> Seen:
    """The part as it is read; raises Refused where Slack would not take it."""
    assert part.text.strip()
    assert len(part.text.encode()) < 4000
    assert sum(map(lines.size, part.blocks)) <= limits.MESSAGE
    named = blocks.for_message(list(part.blocks))
    for block in Block.parse_all(named):
        block.validate_json()
    return mrkdwn.message(part.text, named, [])


def opened(view: Json) -> Seen:
    """The view as it is read; raises Refused where Slack would not take it."""
    judged = views.judged(view, ("modal", "home"))
    for block in Block.parse_all(judged["blocks"]):
        block.validate_json()
    return sum((mrkdwn.block(block) for block in judged["blocks"]), Seen())


def pressable(shown: Sequence[Json]) -> list[tuple[str, str]]:
    """Labels and values of everything that can be pressed or chosen, as Slack sends them back."""
    found = []
    for element in (each for block in shown for each in blocks.interactive(block)):
        for one in element.get("options") or [element]:
            found.append((mrkdwn.unescape(one["text"]["text"]), one["value"]))
    return found
