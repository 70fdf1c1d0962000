"""Methods that ask: about the bot, its commands, chats, members and files."""

from typing import TYPE_CHECKING, Any

from tests.emulators.telegram import access
from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.membership import PERMISSIONS, member
from tests.emulators.telegram.refusals import bad
from tests.emulators.telegram.registry import method

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram


@method("getMe")
def get_me(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: getMe. can_read_all_group_messages is what privacy mode is not."""
    flags = {"can_join_groups": True, "can_read_all_group_messages": not world.privacy}
    never = ("supports_inline_queries", "can_connect_to_business", "has_main_web_app", "has_topics_enabled")
    return world.bot.json() | flags | dict.fromkeys((*never, "allows_users_to_create_topics"), False)


@method("setMyCommands", "deleteMyCommands")
def set_my_commands(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: setMyCommands. Per scope and language; at most 100, each of 1-32 of `a-z0-9_`, told in
    1-256."""
    commands = arguments.list("commands")
    if len(commands) > 100:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    for one in commands:
        name, told = str(one.get("command", "")).lstrip("/"), str(one.get("description", ""))
        if (
            not name.isascii()
            or not name.replace("_", "a").isalnum()
            or name != name.lower()
            or len(name) > 32
        ):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(told) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    key = _scope(world, arguments)
    if commands:
        world.commands[key] = commands
    else:
        world.commands.pop(key, None)
    return True


@method("getMyCommands")
def get_my_commands(world: "Telegram", arguments: Arguments) -> list[dict[str, str]]:
    """Bot API: getMyCommands. Exactly this scope and language, without falling back."""
    return world.commands.get(_scope(world, arguments), [])


def _scope(world: "Telegram", arguments: Arguments) -> tuple[str, str]:
    """Bot API: BotCommandScope. Scopes of one chat name it: `chat:-100…`, `chat_member:-100…:7`."""
    scope = arguments.object("scope") or {"type": "default"}
    language = arguments.text("language_code")
    if language and not (len(language) == 2 and language.isalpha()):
        raise bad("invalid language code specified")
    if "chat_id" in scope:
        access.chat(world, Arguments(scope), "read")
    parts = [str(scope[key]) for key in ("type", "chat_id", "user_id") if key in scope]
    return ":".join(parts), language


@method("getFile")
def get_file(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    return world.files.get(arguments.text("file_id"))


@method("getChat")
def get_chat(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: ChatFullInfo."""
    found = access.chat(world, arguments, "read")
    gifts = (
        "unlimited_gifts",
        "limited_gifts",
        "unique_gifts",
        "premium_subscription",
        "gifts_from_channels",
    )
    told = found.json() | {"accent_color_id": 0, "max_reaction_count": 11}
    told["accepted_gift_types"] = dict.fromkeys(gifts, True)
    if isinstance(found, Group):
        told["permissions"] = dict.fromkeys(PERMISSIONS, True)
        told |= {"join_to_send_messages": True, "has_visible_history": True}
    if found.pinned:
        told["pinned_message"] = found.pinned[-1].json(nested=False)
    return told


def _group(world: "Telegram", arguments: Arguments) -> Group:
    found = access.chat(world, arguments, "read")
    if not isinstance(found, Group):
        raise bad("there are no administrators in the private chat")
    return found


@method("getChatMember")
def get_chat_member(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: getChatMember. Of others it is only promised to administrators."""
    found = access.chat(world, arguments, "read")
    user = world.users.get(arguments.number("user_id"))
    if user is None:
        raise bad("PARTICIPANT_ID_INVALID")
    if not isinstance(found, Group):
        return {"user": user.json(), "status": "member"}
    return member(found, user)


@method("getChatAdministrators")
def get_chat_administrators(world: "Telegram", arguments: Arguments) -> list[dict[str, Any]]:
    """Bot API: getChatAdministrators. Other bots are left out, this one is in."""
    found = _group(world, arguments)
    people = [found.owner, *found.admins.values(), world.bot if found.administers else None]
    return [member(found, person) for person in people if person is not None]


@method("getChatMemberCount")
def get_chat_member_count(world: "Telegram", arguments: Arguments) -> int:
    found = _group(world, arguments)
    return len(found.members) + 1


@method("leaveChat")
def leave_chat(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: leaveChat. The bot hears of it in my_chat_member."""
    found = _group(world, arguments)
    was = member(found, world.bot)
    found.bot = "left"
    found.membership(world.bot, world.bot, was)
    return True


@method("setWebhook", "deleteWebhook")
def set_webhook(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: setWebhook, deleteWebhook."""
    if arguments.flag("drop_pending_updates"):
        world.updates.clear()
    if "allowed_updates" in arguments:
        world.updates.allow(arguments.list("allowed_updates"))
    if arguments.text("url"):
        world.polling.interrupt("terminated by setWebhook request")
    world.webhook.set(arguments)
    return True


@method("getWebhookInfo")
def get_webhook_info(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    return world.webhook.info()


@method(
    "setMyName",
    "setMyDescription",
    "setMyShortDescription",
    "setChatMenuButton",
    "setMyDefaultAdministratorRights",
    "setChatTitle",
    "setChatDescription",
    "unpinAllChatMessages",
    "unpinAllForumTopicMessages",
    "closeGeneralForumTopic",
    "reopenGeneralForumTopic",
    "hideGeneralForumTopic",
    "unhideGeneralForumTopic",
    "logOut",
    "close",
)
def granted(world: "Telegram", arguments: Arguments) -> bool:
    """Methods of no consequence here: they answer true, and the call is in the log."""
    return True
