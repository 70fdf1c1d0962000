"""Where the app may go: finding channels, messages and people by what a call names, or refusing."""

from typing import TYPE_CHECKING

from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.messages import Message
from tests.emulators.slack.refusals import Refused

if TYPE_CHECKING:
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack


def channel(world: "Slack", arguments: Arguments, name: str = "channel") -> Channel:
    """A conversation by its id. Private ones the bot is not in do not exist for it."""
    found = world.channels.get(arguments.needed(name))
    if found is None or (found.kind != "channel" and not found.has_bot):
        raise Refused("channel_not_found")
    return found


def inside(world: "Slack", arguments: Arguments, name: str = "channel") -> Channel:
    """A conversation the bot must be a member of."""
    found = channel(world, arguments, name)
    if not found.has_bot:
        raise Refused("not_in_channel")
    return found


def to_post(world: "Slack", arguments: Arguments) -> Channel:
    """chat.postMessage: a channel's id or #name, or a person's id, which opens the direct messages. With
    chat:write.public also public channels the bot is not in."""
    name = arguments.needed("channel")
    if name in world.users and not world.users[name].is_bot:
        found = world.direct(world.users[name])
    else:
        by_name = [one for one in world.channels.values() if one.kind == "channel" and f"#{one.name}" == name]
        found = by_name[0] if by_name else channel(world, arguments)
    if found.kind == "im" and not world.messages_tab:
        raise Refused("messages_tab_disabled")
    if found.archived:
        raise Refused("is_archived")
    if not found.has_bot and "chat:write.public" not in world.scopes:
        raise Refused("not_in_channel")
    return found


def message(found: Channel, ts: str, error: str = "message_not_found") -> Message:
    """A message by its timestamp; a tombstone is none."""
    kept = found.find(ts)
    if kept is None or kept.tombstone:
        raise Refused(error)
    return kept


def user(world: "Slack", id: str) -> "Person":
    found = world.users.get(id)
    if found is None:
        raise Refused("user_not_found")
    return found
