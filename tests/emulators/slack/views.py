"""Modals and Home tabs: what stands in them, and what a person has filled in."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.slack import blocks, elements, limits, mrkdwn
from tests.emulators.slack.elements import Piece
from tests.emulators.slack.refusals import Refused

if TYPE_CHECKING:
    from tests.emulators.slack.person import Person

KEPT = ("title", "submit", "close")
CHOSEN = {
    "static_select": "option",
    "external_select": "option",
    "radio_buttons": "option",
    "users_select": "user",
}
CHOSEN |= {"conversations_select": "conversation", "channels_select": "channel", "datepicker": "date"}
CHOSEN |= {"timepicker": "time", "checkboxes": "options", "datetimepicker": "date_time"}
CHOSEN |= {
    "multi_static_select": "options",
    "multi_external_select": "options",
    "multi_users_select": "users",
}
CHOSEN |= {"multi_conversations_select": "conversations", "multi_channels_select": "channels"}
TEXTUAL = ("plain_text_input", "email_text_input", "url_text_input", "number_input")


@dataclass(eq=False)
class View:
    """`body` as the app gave it, named; `state` what is filled in, by block and action; `errors` what the app
    said of the last submission, by block."""

    id: str
    user: "Person"
    body: dict[str, Any]
    hash: str
    root: "View | None" = None
    previous: "View | None" = None
    state: dict[str, dict[str, Piece]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    closed: bool = False

    @property
    def blocks(self) -> list[Piece]:
        found: list[Piece] = self.body["blocks"]
        return found

    @property
    def title(self) -> str:
        return mrkdwn.unescape(self.body.get("title", {}).get("text", ""))

    @property
    def shown(self) -> str:
        """The words its reader reads."""
        return "\n".join(text for text in (mrkdwn.block(one).text for one in self.blocks) if text)

    @property
    def buttons(self) -> list[str]:
        found = [one for block in self.blocks for one in blocks.interactive(block)]
        return [mrkdwn.unescape(one["text"]["text"]) for one in found if one["type"] == "button"]

    def error(self, label: str) -> str:
        """What is said under the input with this label, or empty."""
        return self.errors.get(self.input(label)["block_id"], "")

    def input(self, label: str) -> Piece:
        """The input block with this label or block_id."""
        for block in self.blocks:
            if block["type"] == "input" and label in (
                mrkdwn.unescape(block["label"]["text"]),
                block["block_id"],
            ):
                return block
        labels = [one["label"]["text"] for one in self.blocks if one["type"] == "input"]
        raise AssertionError(f"no input {label!r} in {labels}")

    def become(self, body: dict[str, Any], hash: str) -> None:
        """What is filled in stays where block and action keep their names."""
        self.body, self.hash, self.errors = body, hash, {}
        fresh = first_state(body["blocks"])
        for block, actions in fresh.items():
            for action in actions:
                kept = self.state.get(block, {}).get(action)
                if kept is not None and kept["type"] == actions[action]["type"]:
                    actions[action] = kept
        self.state = fresh

    def __repr__(self) -> str:
        return f"<{self.body['type']} {self.title!r} {self.id}>"

    def json(self) -> dict[str, Any]:
        """Slack: view object."""
        world = self.user.world
        told = {"id": self.id, "team_id": world.team, "type": self.body["type"], "blocks": self.blocks}
        told |= {name: self.body.get(name) for name in KEPT} if self.body["type"] == "modal" else {}
        told |= {
            name: self.body.get(name) or "" for name in ("private_metadata", "callback_id", "external_id")
        }
        told |= {"state": {"values": self.state}, "hash": self.hash}
        told |= {name: bool(self.body.get(name)) for name in ("clear_on_close", "notify_on_close")}
        told |= {"root_view_id": (self.root or self).id, "app_id": world.app_id, "bot_id": world.bot_id}
        told |= {"previous_view_id": self.previous.id if self.previous else None}
        return told | {"app_installed_team_id": world.team}


def first_state(found: list[Piece]) -> dict[str, dict[str, Piece]]:
    """What the inputs hold before anybody touched them. Buttons and overflow menus hold nothing."""
    state: dict[str, dict[str, Piece]] = {}
    for block in found:
        for one in blocks.interactive(block):
            kind = one["type"]
            if kind in TEXTUAL:
                held = {"type": kind, "value": one.get("initial_value") or None}
            elif kind in CHOSEN:
                chosen = CHOSEN[kind]
                empty: Any = [] if chosen.endswith("s") else None
                held = {"type": kind, f"selected_{chosen}": one.get(f"initial_{chosen}", empty)}
            else:
                continue
            state.setdefault(block["block_id"], {})[one["action_id"]] = held
    return state


def judged(body: Any, kind: tuple[str, ...]) -> dict[str, Any]:
    """Block Kit: views. The view with its blocks named; `invalid_arguments` tells all that is wrong."""
    problems = elements.Problems()
    if not isinstance(body, dict) or body.get("type") not in kind:
        raise Refused(
            "invalid_arguments", messages=[f"[ERROR] must be one of {kind} [json-pointer:/view/type]"]
        )
    if len(json.dumps(body)) > limits.VIEW_BYTES:
        raise Refused("view_too_large")
    if body["type"] == "modal":
        elements.text(problems, body.get("title"), limits.VIEW_TITLE, "/view/title")
        for name in ("submit", "close"):
            if body.get(name) is not None:
                elements.text(problems, body[name], limits.VIEW_BUTTON, f"/view/{name}")
    else:
        for name in KEPT:
            if body.get(name) is not None:
                problems.add(f"additional property not allowed: {name}", "/view")
    for name, most in (
        ("private_metadata", limits.PRIVATE_METADATA),
        ("callback_id", limits.CALLBACK_ID),
        ("external_id", limits.EXTERNAL_ID),
    ):
        if body.get(name) is not None:
            problems.length(body[name], most, f"/view/{name}", least=0)
    found = body.get("blocks")
    problems.found += blocks.judged(found, blocks.IN_VIEWS, limits.BLOCKS_IN_VIEW, "/view/blocks").found
    asks = isinstance(found, list) and any(
        isinstance(one, dict) and one.get("type") == "input" for one in found
    )
    if body["type"] == "modal" and asks and body.get("submit") is None:
        problems.add("missing required field: submit", "/view")
    if problems.found:
        raise Refused("invalid_arguments", messages=problems.found)
    return body | {"blocks": blocks.named(body["blocks"])}
