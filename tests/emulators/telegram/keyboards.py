"""Keyboards: what may stand under a message."""

from typing import Any

from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.links import usable
from tests.emulators.telegram.refusals import bad

ROOM = 100
KINDS = (
    "callback_data",
    "url",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
Markup = dict[str, Any]


def read(arguments: Arguments) -> Markup | None:
    """Bot API: reply_markup is an inline keyboard, a reply keyboard, its removal, or a forced reply."""
    markup = arguments.object("reply_markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    if "inline_keyboard" in markup:
        return _inline(markup["inline_keyboard"])
    if not {"keyboard", "remove_keyboard", "force_reply"} & set(markup):
        return None
    return markup


def _inline(rows: Any) -> Markup | None:
    """Bot API: InlineKeyboardMarkup. At most 100 buttons; rows without buttons do not count."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad("can't parse inline keyboard: Array of Array of InlineKeyboardButton expected")
    kept = [[_button(button) for button in row] for row in rows if row]
    if sum(map(len, kept)) > ROOM:
        raise bad("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _button(button: Any) -> dict[str, Any]:
    """Bot API: InlineKeyboardButton. Exactly one kind; callback_data is 1-64 bytes."""
    if not isinstance(button, dict):
        raise bad("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    text = str(button.get("text") or "").strip()
    if not text:
        raise bad('can\'t parse inline keyboard button: Field "text" must be of type String')
    kinds = [kind for kind in KINDS if button.get(kind) is not None]
    if not kinds:
        raise bad("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    kind = kinds[0]
    value = button[kind]
    if kind == "callback_data" and not 1 <= len(str(value).encode()) <= 64:
        raise bad("BUTTON_DATA_INVALID")
    if kind == "url" and not usable(value):
        raise bad(f"inline keyboard button URL '{value}' is invalid: Wrong HTTP URL")
    if kind == "web_app" and not str(value.get("url", "")).startswith("https://"):
        why = "Only HTTPS links are allowed"
        raise bad(f"inline keyboard button Web App URL '{value.get('url')}' is invalid: {why}")
    if kind == "copy_text" and not 1 <= len(value.get("text", "")) <= 256:
        raise bad("COPY_TEXT_INVALID")
    kept = {"text": text, kind: value}
    return kept | {more: button[more] for more in ("style", "icon_custom_emoji_id") if button.get(more)}
