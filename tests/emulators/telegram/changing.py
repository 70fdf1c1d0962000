"""Methods that change what stands there: edits, deletions, pins, reactions, answers to presses."""

from typing import TYPE_CHECKING, Any

from tests.emulators.telegram import access, formatted, keyboards
from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.chats import Chat
from tests.emulators.telegram.formatted import Formatted
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.messages import CAPTIONED, Message
from tests.emulators.telegram.people import QUERY_LIVES_FOR
from tests.emulators.telegram.reactions import known
from tests.emulators.telegram.refusals import bad
from tests.emulators.telegram.registry import method

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same as a "
    "current content and reply markup of the message"
)
TWO_DAYS = 48 * 3600


@method("editMessageText")
def edit_message_text(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: editMessageText. Leaving reply_markup out takes the keyboard away."""
    text = formatted.text(arguments, world.users)
    message = _editable(world, arguments)
    if message.kind != "text":
        raise bad("there is no text in the message to edit")
    return _change(world, message, text, keyboards.read(arguments))


@method("editMessageCaption")
def edit_message_caption(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: editMessageCaption."""
    words = formatted.caption(arguments, world.users)
    message = _editable(world, arguments)
    if message.kind not in CAPTIONED:
        raise bad("there is no caption in the message to edit")
    return _change(world, message, words, keyboards.read(arguments))


@method("editMessageReplyMarkup")
def edit_message_reply_markup(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: editMessageReplyMarkup."""
    message = _editable(world, arguments)
    return _change(world, message, message.formatted, keyboards.read(arguments))


def _editable(world: "Telegram", arguments: Arguments) -> Message:
    """Bot API: a bot edits its own messages only, and those without markup or with an inline keyboard."""
    found = access.chat(world, arguments, "edit")
    number = arguments.number("message_id")
    if not number:
        raise bad("message identifier is not specified")
    message = access.message(found, number, "message to edit")
    if message.sender is not world.bot or message.kind in world.SERVICE or message.forces_reply:
        raise bad("message can't be edited")
    return message


def _change(
    world: "Telegram", message: Message, words: Formatted, markup: keyboards.Markup | None
) -> dict[str, Any]:
    """Bot API: an edit that changes nothing is refused."""
    old = (message.text, message.entities, message.keyboard)
    rows = (markup or {}).get("inline_keyboard", [])
    if old == (words.text, words.entities, rows):
        raise bad(SAME)
    if message.text != words.text:
        message.edits.append(message.text)
    message.formatted, message.markup = words, markup
    message.edited_at = world.times.unix()
    world.stir()
    return message.json()


@method("deleteMessage")
def delete_message(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: deleteMessage. Younger than 48 hours; others' messages in groups only with the right to."""
    found = access.chat(world, arguments, "edit")
    message = access.message(found, arguments.number("message_id"), "message to delete")
    if not _deletable(world, found, message):
        raise bad("message can't be deleted")
    if world.times.now() - message.date > TWO_DAYS and not _moderates(found):
        raise bad("message can't be deleted for everyone")
    message.deleted = True
    world.stir()
    return True


def _moderates(found: Chat) -> bool:
    return isinstance(found, Group) and found.may("can_delete_messages")


def _deletable(world: "Telegram", found: Chat, message: Message) -> bool:
    """Bot API: in private chats a bot may delete what the person wrote as well."""
    return not isinstance(found, Group) or message.sender is world.bot or _moderates(found)


@method("deleteMessages")
def delete_messages(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: deleteMessages. 1-100 at once; those that cannot be found are skipped."""
    found = access.chat(world, arguments, "edit")
    numbers = arguments.list("message_ids")
    if not 1 <= len(numbers) <= 100:
        raise bad("message identifiers are not specified")
    for number in numbers:
        message = found.find(int(number))
        if message is not None and _deletable(world, found, message):
            message.deleted = True
    world.stir()
    return True


@method("pinChatMessage")
def pin_chat_message(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: pinChatMessage. The bot hears of the pinned_message it caused itself."""
    found = access.chat(world, arguments)
    message = access.message(found, arguments.number("message_id"), "message to pin")
    if isinstance(found, Group):
        if not found.may("can_pin_messages"):
            raise bad("not enough rights to manage pinned messages in the chat")
        if message not in found.pinned:
            found.service(world.bot, "pinned_message", message.json(nested=False), message.thread)
    if message not in found.pinned:
        found.pinned.append(message)
    return True


@method("unpinChatMessage")
def unpin_chat_message(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: unpinChatMessage. Without a message_id the latest one."""
    found = access.chat(world, arguments)
    number = arguments.number("message_id") or (found.pinned[-1].id if found.pinned else 0)
    message = access.message(found, number, "message to unpin")
    if isinstance(found, Group) and not found.may("can_pin_messages"):
        raise bad("not enough rights to manage pinned messages in the chat")
    if message in found.pinned:
        found.pinned.remove(message)
    return True


@method("setMessageReaction")
def set_message_reaction(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: setMessageReaction. One of the 73 emoji, none takes it away; a bot is not told of its own."""
    found = access.chat(world, arguments, "read")
    message = access.message(found, arguments.number("message_id"), "message to react")
    wanted = arguments.list("reaction")
    if len(wanted) > 1:
        raise bad("REACTIONS_TOO_MANY")
    if any(one.get("type") != "emoji" or not known(one.get("emoji", "")) for one in wanted):
        raise bad("REACTION_INVALID")
    message.reactions[world.bot.id] = wanted
    world.stir()
    return True


@method("answerCallbackQuery")
def answer_callback_query(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: answerCallbackQuery. In time, with up to 200 characters; a second answer is taken and not
    shown."""
    if len(arguments.text("text")) > 200:
        raise bad("MESSAGE_TOO_LONG")
    press = world.presses.get(arguments.text("callback_query_id"))
    if press is None or world.times.now() - press.at > QUERY_LIVES_FOR:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    if not press.answered:
        press.answered = True
        press.text = arguments.text("text")
        press.show_alert = arguments.flag("show_alert")
        press.url = arguments.text("url")
        world.answers.append(press)
    world.stir()
    return True
