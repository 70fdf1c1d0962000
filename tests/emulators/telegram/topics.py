"""Methods about forum topics."""

from typing import TYPE_CHECKING, Any

from tests.emulators.telegram import access, contents
from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.groups import COLORS
from tests.emulators.telegram.refusals import bad
from tests.emulators.telegram.registry import method

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

ICONS = (
    "📰",
    "💡",
    "⚡️",
    "🎙",
    "🔝",
    "🗣",
    "🆒",
    "❗️",
    "📝",
    "📆",
    "📁",
    "🔎",
    "📣",
    "🔥",
    "❤️",
    "❓",
    "✅",
    "👀",
)
"""Some of those the real set has; their ids are made up."""


def icon_id(emoji: str) -> str:
    return str(5_310_000_000_000_000_000 + ICONS.index(emoji))


def _name(arguments: Arguments) -> str:
    """Bot API: a topic's name has 1-128 characters."""
    name = arguments.text("name").strip()
    if len(name) > 128:
        raise bad("TOPIC_TITLE_TOO_LONG")
    return name


def _icon(arguments: Arguments) -> str | None:
    """Bot API: custom emoji of getForumTopicIconStickers only."""
    icon = arguments.text("icon_custom_emoji_id")
    if icon and icon not in {icon_id(emoji) for emoji in ICONS}:
        raise bad("DOCUMENT_INVALID")
    return icon or None


@method("createForumTopic")
def create_forum_topic(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: createForumTopic. Needs can_manage_topics; the bot is told of the topic as well."""
    found = access.forum(world, arguments)
    access.right(found, "can_manage_topics", "not enough rights to create a topic")
    name = _name(arguments)
    if not name:
        raise bad("title must be non-empty")
    color = arguments.number("icon_color")
    if color and color not in COLORS:
        raise bad("invalid icon color specified")
    return found.open_topic(world.bot, name, color, _icon(arguments)).json()


@method("editForumTopic")
def edit_forum_topic(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: editForumTopic. Needs can_manage_topics unless the bot opened it; no change is refused."""
    found = access.forum(world, arguments)
    topic = access.topic(found, arguments)
    access.right(found, "can_manage_topics", "not enough rights to edit the topic", topic.by_bot)
    name = _name(arguments) or topic.name
    icon = _icon(arguments) if "icon_custom_emoji_id" in arguments.values else topic.icon
    if (name, icon) == (topic.name, topic.icon):
        raise bad("TOPIC_NOT_MODIFIED")
    told = ({"name": name} if name != topic.name else {}) | (
        {"icon_custom_emoji_id": icon or ""} if icon != topic.icon else {}
    )
    topic.name, topic.icon = name, icon
    found.service(world.bot, "forum_topic_edited", told, topic.id)
    return True


@method("closeForumTopic")
def close_forum_topic(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: closeForumTopic. One that is closed already is refused."""
    return _toggle(world, arguments, closed=True)


@method("reopenForumTopic")
def reopen_forum_topic(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: reopenForumTopic."""
    return _toggle(world, arguments, closed=False)


def _toggle(world: "Telegram", arguments: Arguments, *, closed: bool) -> bool:
    found = access.forum(world, arguments)
    topic = access.topic(found, arguments)
    access.right(found, "can_manage_topics", "not enough rights to close or open the topic", topic.by_bot)
    if topic.closed == closed:
        raise bad("TOPIC_NOT_MODIFIED")
    topic.closed = closed
    found.service(world.bot, "forum_topic_closed" if closed else "forum_topic_reopened", {}, topic.id)
    return True


@method("deleteForumTopic")
def delete_forum_topic(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: deleteForumTopic. Needs can_delete_messages unless the bot opened it; the messages go with
    it."""
    found = access.forum(world, arguments)
    topic = access.topic(found, arguments)
    access.right(found, "can_delete_messages", "not enough rights to delete the topic", topic.by_bot)
    topic.deleted = True
    for message in found.history:
        message.deleted = message.deleted or message.thread == topic.id
    world.stir()
    return True


@method("getForumTopicIconStickers")
def get_forum_topic_icon_stickers(world: "Telegram", arguments: Arguments) -> list[dict[str, Any]]:
    """Bot API: getForumTopicIconStickers. Any bot may use these, without paying."""
    told = []
    for emoji in ICONS:
        sticker = {
            "file_id": f"CAAC-topic-{icon_id(emoji)}",
            "file_unique_id": icon_id(emoji),
        } | contents.sticker(emoji)
        told.append(
            sticker | {"type": "custom_emoji", "custom_emoji_id": icon_id(emoji), "set_name": "Topics"}
        )
    return told
