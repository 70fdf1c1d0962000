"""Forms in people's hands: finding what a label names, choosing, typing, and what Slack itself demands."""

import copy
from typing import TYPE_CHECKING, Any

from tests.emulators.slack import limits, mrkdwn
from tests.emulators.slack.blocks import interactive
from tests.emulators.slack.elements import Piece
from tests.emulators.slack.views import CHOSEN, TEXTUAL, View, first_state

if TYPE_CHECKING:
    from tests.emulators.slack.messages import Message

REQUIRED = "Please complete this required field."


def options(element: Piece) -> list[Piece]:
    found = list(element.get("options") or [])
    for group in element.get("option_groups") or []:
        found += group["options"]
    return found


def option(element: Piece, name: str) -> Piece:
    """The option with this label or value."""
    for one in options(element):
        if name in (mrkdwn.unescape(one["text"]["text"]), one["value"]):
            return {"text": one["text"], "value": one["value"]}
    raise AssertionError(f"no option {name!r} in {[one['text']['text'] for one in options(element)]}")


def find(screens: list[list[Piece]], what: str, choice: str) -> tuple[Piece, Piece]:
    """The block and the element a person means, on the first of these screens that has it."""
    known = []
    for block in [one for screen in screens for one in screen]:
        for one in interactive(block):
            label = mrkdwn.unescape((one.get("text") or one.get("placeholder") or {}).get("text", ""))
            known.append(label or one["type"])
            if one["type"] == "button":
                fits = not choice and what in (label, one["action_id"], one.get("value"))
            else:
                named = what in (label, one["action_id"], block["block_id"])
                fits = bool(choice) and (named or not what) and has_choice(one, choice, free=named)
            if fits:
                return block, one
    raise AssertionError(f"nothing to press named {what!r} {choice!r} in {known}")


def has_choice(element: Piece, choice: str, *, free: bool) -> bool:
    """Menus without options of their own (people, channels, dates) take anything, if `free` to."""
    known = options(element)
    names = [name for one in known for name in (mrkdwn.unescape(one["text"]["text"]), one["value"])]
    return choice in names if known else free and element["type"] in CHOSEN


def chosen(element: Piece, value: Any) -> Piece:
    """`selected_…` as Slack words it for this kind of element."""
    kind = element["type"]
    if kind == "overflow":
        return {"selected_option": option(element, value)}
    what = CHOSEN[kind]
    if what.endswith("s"):
        values = value if isinstance(value, list | tuple) else [value]
        return {f"selected_{what}": [_one(element, what.rstrip("s"), one) for one in values]}
    return {f"selected_{what}": _one(element, what, value)}


def _one(element: Piece, what: str, value: Any) -> Any:
    if what == "option":
        return option(element, value) if options(element) else value
    return getattr(value, "id", value)


def hold(view: View, action: Piece) -> None:
    """What is chosen in a view stays chosen there."""
    held = view.state.get(action["block_id"], {}).get(action["action_id"])
    if held is not None:
        held |= {name: value for name, value in action.items() if name.startswith("selected_")}


def shown_state(message: "Message", action: Piece) -> dict[str, dict[str, Piece]]:
    """A message's inputs and menus, with the present choice among them."""
    state = first_state(copy.deepcopy(message.blocks))
    held = state.get(action["block_id"], {}).get(action["action_id"])
    if held is not None:
        held |= {name: value for name, value in action.items() if name.startswith("selected_")}
    return state


def fill(view: View, label: str, value: Any) -> None:
    block = view.input(label)
    element = block["element"]
    held = view.state[block["block_id"]][element["action_id"]]
    if element["type"] in TEXTUAL:
        held["value"] = None if value in ("", None) else str(value)
    else:
        held |= chosen(element, value)


def missing(view: View) -> dict[str, str]:
    """What Slack's own form does not let through: required inputs left empty, words too short or too long."""
    wrong: dict[str, str] = {}
    for block in view.blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        held = view.state.get(block["block_id"], {}).get(element["action_id"], {})
        value = next((found for name, found in held.items() if name != "type"), None)
        if not value and not block.get("optional"):
            wrong[block["block_id"]] = REQUIRED
        elif value and element["type"] in TEXTUAL:
            most = element.get("max_length", limits.INPUT_LENGTH)
            if not element.get("min_length", 0) <= len(value) <= most:
                wrong[block["block_id"]] = f"must be {element.get('min_length', 0)} to {most} characters"
    return wrong
