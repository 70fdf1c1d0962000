"""Block Kit's small parts, judged as Slack does: text objects, options, buttons, menus, inputs."""

from collections.abc import Callable
from typing import Any

from tests.emulators.slack import limits

Piece = dict[str, Any]


class Problems:
    """What is wrong, each with a pointer to the place, in the words of `response_metadata.messages`."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, words: str, at: str) -> None:
        self.found.append(f"[ERROR] {words} [json-pointer:{at}]")

    def length(self, value: Any, most: int, at: str, least: int = 1) -> None:
        if not isinstance(value, str):
            self.add("must be a string", at)
        elif len(value) < least:
            self.add(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            self.add(f"must be less than {most + 1} characters", at)

    def count(self, value: Any, most: int, at: str, least: int = 1) -> list[Any]:
        """The items, if they are a list of the right size."""
        if not isinstance(value, list):
            self.add("must be an array", at)
            return []
        if len(value) < least:
            self.add(f"no fewer than {least} items required", at)
        elif len(value) > most:
            self.add(f"no more than {most} items allowed", at)
        return value


def text(
    problems: Problems, value: Any, most: int, at: str, kinds: tuple[str, ...] = ("plain_text",)
) -> None:
    """Block Kit: text object. `kinds` says whether mrkdwn may stand here."""
    if not isinstance(value, dict) or value.get("type") not in kinds:
        problems.add(f"must be a text object of type {' or '.join(kinds)}", at)
        return
    problems.length(value.get("text"), most, f"{at}/text")
    if value["type"] == "mrkdwn" and "emoji" in value:
        problems.add("additional property not allowed: emoji", at)


BOTH = ("plain_text", "mrkdwn")


def option(problems: Problems, value: Any, at: str, kinds: tuple[str, ...] = ("plain_text",)) -> None:
    if not isinstance(value, dict):
        problems.add("must be an option object", at)
        return
    text(problems, value.get("text"), limits.OPTION_TEXT, f"{at}/text", kinds)
    problems.length(value.get("value"), limits.OPTION_VALUE, f"{at}/value")
    if value.get("description") is not None:
        text(problems, value["description"], limits.OPTION_DESCRIPTION, f"{at}/description", kinds)


def confirm(problems: Problems, value: Any, at: str) -> None:
    if not isinstance(value, dict):
        problems.add("must be a confirmation dialog object", at)
        return
    text(problems, value.get("title"), limits.CONFIRM_TITLE, f"{at}/title")
    text(problems, value.get("text"), limits.CONFIRM_TEXT, f"{at}/text", BOTH)
    for name in ("confirm", "deny"):
        text(problems, value.get(name), limits.CONFIRM_BUTTON, f"{at}/{name}")


def button(problems: Problems, value: Piece, at: str) -> None:
    text(problems, value.get("text"), limits.BUTTON_TEXT, f"{at}/text")
    if "value" in value:
        problems.length(value["value"], limits.BUTTON_VALUE, f"{at}/value")
    if "url" in value:
        problems.length(value["url"], limits.BUTTON_URL, f"{at}/url")
    if "accessibility_label" in value:
        problems.length(value["accessibility_label"], limits.BUTTON_TEXT, f"{at}/accessibility_label")
    if value.get("style", "primary") not in ("primary", "danger"):
        problems.add("must be one of primary, danger", f"{at}/style")


def overflow(problems: Problems, value: Piece, at: str) -> None:
    for number, one in enumerate(
        problems.count(value.get("options"), limits.OVERFLOW_OPTIONS, f"{at}/options")
    ):
        option(problems, one, f"{at}/options/{number}")


def select(problems: Problems, value: Piece, at: str) -> None:
    """Static menus: options or groups of them, never both."""
    if ("options" in value) == ("option_groups" in value):
        problems.add("must have either options or option_groups", at)
        return
    if "options" in value:
        for number, one in enumerate(
            problems.count(value["options"], limits.SELECT_OPTIONS, f"{at}/options")
        ):
            option(problems, one, f"{at}/options/{number}")
    else:
        groups = problems.count(value["option_groups"], limits.OPTION_GROUPS, f"{at}/option_groups")
        for number, group in enumerate(groups):
            here = f"{at}/option_groups/{number}"
            text(problems, group.get("label"), limits.GROUP_LABEL, f"{here}/label")
            for place, one in enumerate(problems.count(group.get("options"), limits.SELECT_OPTIONS, here)):
                option(problems, one, f"{here}/options/{place}")
    initial(problems, value, at)


def initial(problems: Problems, value: Piece, at: str) -> None:
    """What is chosen at first must be one of the options, letter for letter."""
    known = value.get("options") or [
        one for group in value.get("option_groups", []) for one in group["options"]
    ]
    chosen = value.get("initial_options", [value["initial_option"]] if "initial_option" in value else [])
    if any(one not in known for one in chosen):
        problems.add("initial option is not one of the options", f"{at}/initial_option")


def choices(problems: Problems, value: Piece, at: str) -> None:
    for number, one in enumerate(problems.count(value.get("options"), limits.CHOICES, f"{at}/options")):
        option(problems, one, f"{at}/options/{number}", BOTH)
    initial(problems, value, at)


def entry(problems: Problems, value: Piece, at: str) -> None:
    """plain_text_input: `max_length` is 3000 at most, and so is what stands there at first."""
    longest, shortest = value.get("max_length", limits.INPUT_LENGTH), value.get("min_length", 0)
    if not isinstance(longest, int) or not 1 <= longest <= limits.INPUT_LENGTH:
        problems.add(f"must be between 1 and {limits.INPUT_LENGTH}", f"{at}/max_length")
    elif not isinstance(shortest, int) or not 0 <= shortest <= longest:
        problems.add("must be between 0 and max_length", f"{at}/min_length")
    if "initial_value" in value:
        problems.length(value["initial_value"], limits.INPUT_LENGTH, f"{at}/initial_value", least=0)


def image(problems: Problems, value: Piece, at: str) -> None:
    if ("image_url" in value) == ("slack_file" in value):
        problems.add("must have either image_url or slack_file", at)
    elif "image_url" in value:
        problems.length(value["image_url"], limits.IMAGE_URL, f"{at}/image_url")
    problems.length(value.get("alt_text"), limits.IMAGE_ALT, f"{at}/alt_text")


def plain(problems: Problems, value: Piece, at: str) -> None:
    """Nothing of its own to judge."""


STATIC = {"static_select": select, "multi_static_select": select}
CHOOSING = {"radio_buttons": choices, "checkboxes": choices}
PICKING = dict.fromkeys(("datepicker", "timepicker", "datetimepicker"), plain)
FOREIGN = dict.fromkeys(
    (
        f"{many}{kind}_select"
        for many in ("", "multi_")
        for kind in ("users", "conversations", "channels", "external")
    ),
    plain,
)
TYPING = {"plain_text_input": entry} | dict.fromkeys(
    ("email_text_input", "url_text_input", "number_input", "rich_text_input", "file_input"), plain
)
Judge = Callable[[Problems, Piece, str], None]
INPUTS: dict[str, Judge] = {**STATIC, **CHOOSING, **PICKING, **FOREIGN, **TYPING}
ACTIONS: dict[str, Judge] = {"button": button, "overflow": overflow, "workflow_button": button}
ACTIONS |= {**STATIC, **CHOOSING, **PICKING, **FOREIGN, "rich_text_input": plain}
ACCESSORIES: dict[str, Judge] = {name: judge for name, judge in ACTIONS.items() if name != "rich_text_input"}
ACCESSORIES |= {"image": image}
NAMELESS = ("image",)


def element(problems: Problems, value: Any, known: dict[str, Judge], at: str) -> None:
    """An element, of one of the kinds that may stand here."""
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in known:
        problems.add(f"unsupported type: {kind}", at)
        return
    if "action_id" in value:
        problems.length(value["action_id"], limits.ACTION_ID, f"{at}/action_id")
    if "placeholder" in value:
        text(problems, value["placeholder"], limits.PLACEHOLDER, f"{at}/placeholder")
    if "confirm" in value:
        confirm(problems, value["confirm"], f"{at}/confirm")
    known[kind](problems, value, at)
