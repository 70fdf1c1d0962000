"""Methods of conversations: opening, finding, listing, and reading what was said."""

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from tests.emulators.slack import access, gate
from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.messages import Message
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

Body = dict[str, Any]
T = TypeVar("T")
MOST = 999
HISTORY = {
    "channel": "channels:history",
    "group": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
READ = {"channel": "channels:read", "group": "groups:read", "im": "im:read", "mpim": "mpim:read"}
KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def page(found: Sequence[T], arguments: Arguments, default: int) -> tuple[list[T], str]:
    """Pagination: so many from where the cursor points, and the cursor of the rest."""
    limit = arguments.number("limit", default) or default
    if not 1 <= limit <= 1000:
        raise Refused("invalid_limit")
    try:
        at = int(base64.b64decode(arguments.text("cursor")).removeprefix(b"next:") or 0)
    except ValueError:
        raise Refused("invalid_cursor") from None
    rest = at + min(limit, MOST)
    cursor = base64.b64encode(f"next:{rest}".encode()).decode() if rest < len(found) else ""
    return list(found[at:rest]), cursor


def paged(cursor: str) -> Body:
    return {"response_metadata": {"next_cursor": cursor}}


def permit(world: "Slack", found: Channel, scopes: dict[str, str]) -> None:
    """Each kind of conversation has a scope of its own."""
    gate.demand(world, (scopes[found.kind],))


def between(found: Sequence[Message], arguments: Arguments) -> list[Message]:
    """`oldest` and `latest`, the ends themselves only with `inclusive`."""
    try:
        oldest = float(arguments.text("oldest", "0") or 0)
        latest = float(arguments.text("latest") or "inf")
    except ValueError:
        raise Refused("invalid_ts_oldest") from None
    if arguments.flag("inclusive"):
        return [one for one in found if oldest <= float(one.ts) <= latest]
    return [one for one in found if oldest < float(one.ts) < latest]


def standing(found: Channel) -> list[Message]:
    """What history tells: tombstones stay."""
    return [one for one in found.history if not one.deleted and one.only_for is None]


@method("conversations.history")
def history(world: "Slack", arguments: Arguments) -> Body:
    """The channel's own messages, newest first; replies only where they were broadcast."""
    found = access.inside(world, arguments)
    permit(world, found, HISTORY)
    top = [one for one in standing(found) if not one.is_reply or one.broadcast]
    chosen, cursor = page(between(top, arguments)[::-1], arguments, 100)
    full = arguments.flag("include_all_metadata")
    told = [_broadcast(one) | one.json(metadata=full) for one in chosen]
    more = paged(cursor) if cursor else {}
    return {"messages": told, "has_more": bool(cursor), "pin_count": 0} | more


def _broadcast(message: Message) -> Body:
    return {"subtype": "thread_broadcast"} if message.broadcast else {}


@method("conversations.replies")
def replies(world: "Slack", arguments: Arguments) -> Body:
    """A thread: its first message, always, and the replies, oldest first."""
    found = access.inside(world, arguments)
    permit(world, found, HISTORY)
    named = found.find(arguments.needed("ts"))
    root = found.find(named.thread_ts or named.ts) if named is not None else None
    if root is None:
        raise Refused("thread_not_found")
    under = [one for one in standing(found) if one.thread_ts == root.ts and one is not root]
    chosen, cursor = page(between(under, arguments), arguments, 1000)
    full = arguments.flag("include_all_metadata")
    told = [one.json(metadata=full) for one in [root, *chosen]]
    return {"messages": told, "has_more": bool(cursor)} | (paged(cursor) if cursor else {})


@method("conversations.open", "im:write", "mpim:write")
def open_direct(world: "Slack", arguments: Arguments) -> Body:
    """Direct messages with one person, or with several. Again it is the same conversation."""
    if "channel" in arguments:
        found = access.channel(world, arguments)
        return {"channel": {"id": found.id}, "no_op": True, "already_open": True}
    names = arguments.words("users")
    if not names:
        raise Refused("users_list_not_supplied")
    people = [access.user(world, name) for name in names]
    if any(one.deleted for one in people):
        raise Refused("user_disabled")
    if any(one.is_bot for one in people):
        raise Refused("cannot_dm_bot")
    if len(people) > 8:
        raise Refused("too_many_users")
    known = len(world.channels)
    found = world.direct(*people)
    old = len(world.channels) == known
    told = found.json() if arguments.flag("return_im") else {"id": found.id}
    return {"channel": told} | ({"no_op": True, "already_open": True} if old else {})


@method("conversations.info")
def info(world: "Slack", arguments: Arguments) -> Body:
    found = access.channel(world, arguments)
    permit(world, found, READ)
    return {"channel": found.json()}


@method("conversations.list", tier="2")
def list_all(world: "Slack", arguments: Arguments) -> Body:
    kinds = arguments.words("types") or ["public_channel"]
    if not set(kinds) <= set(KINDS):
        raise Refused("invalid_types")
    gate.demand(world, tuple(READ[KINDS[kind]] for kind in kinds), every=True)
    wanted = {KINDS[kind] for kind in kinds}
    found = [
        one
        for one in world.channels.values()
        if one.kind in wanted and (one.kind == "channel" or one.has_bot)
    ]
    if arguments.flag("exclude_archived"):
        found = [one for one in found if not one.archived]
    chosen, cursor = page(found, arguments, 100)
    return {"channels": [one.json() for one in chosen]} | paged(cursor)


@method("conversations.members", tier="4")
def members(world: "Slack", arguments: Arguments) -> Body:
    found = access.channel(world, arguments)
    permit(world, found, READ)
    chosen, cursor = page(list(found.members), arguments, 100)
    return {"members": chosen} | paged(cursor)


@method("conversations.join", "channels:join")
def join(world: "Slack", arguments: Arguments) -> Body:
    """Public channels only."""
    found = access.channel(world, arguments)
    if found.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    if found.archived:
        raise Refused("is_archived")
    if found.has_bot:
        more = {"response_metadata": {"warnings": ["already_in_channel"]}, "warning": "already_in_channel"}
        return {"channel": found.json()} | more
    found.members[world.bot.id] = world.bot
    world.tell.joined(found, world.bot, None)
    return {"channel": found.json()}
