"""Methods that write: chat.*."""

import json
from typing import TYPE_CHECKING, Any

from tests.emulators.slack import access, blocks, limits, mrkdwn
from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.elements import Piece
from tests.emulators.slack.messages import Message
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

Body = dict[str, Any]


def content(arguments: Arguments) -> Body:
    """Text, blocks and attachments of a call, judged; only those that were given."""
    told: Body = {}
    if "markdown_text" in arguments and ("text" in arguments or "blocks" in arguments):
        raise Refused("markdown_text_conflict")
    if words := arguments.text("text").strip():
        told["text"] = mrkdwn.normal(words)
    if arguments.flag("link_names") or arguments.text("parse") == "full":
        told["text"] = mrkdwn.called(told.get("text", ""))
    if len(arguments.text("text")) > limits.MESSAGE_TEXT:
        raise Refused("msg_too_long")
    found = arguments.object("blocks", "invalid_blocks_format")
    if "markdown_text" in arguments:
        found = [{"type": "markdown", "text": arguments.text("markdown_text")}]
        told["text"] = mrkdwn.normal(arguments.text("markdown_text"))
    if found is not None:
        told["blocks"] = blocks.for_message(found)
    attached = arguments.object("attachments", "invalid_attachments")
    if attached is not None:
        told["attachments"] = _attachments(attached)
    return told


def _attachments(attached: Any) -> list[Piece]:
    if not isinstance(attached, list) or not all(isinstance(one, dict) for one in attached):
        raise Refused("invalid_attachments")
    if len(attached) > limits.ATTACHMENTS:
        raise Refused("too_many_attachments")
    ready = []
    for number, one in enumerate(attached, 1):
        inside = {"blocks": blocks.for_message(one["blocks"])} if one.get("blocks") else {}
        ready.append({"id": number, "fallback": "[no preview available]"} | one | inside)
    return ready


def metadata(arguments: Arguments) -> Body | None:
    """Message metadata: an event_type and an event_payload. An empty object takes it away."""
    found = arguments.object("metadata", "invalid_metadata_format")
    if found is None or found == {}:
        return found  # type: ignore[no-any-return]
    if not isinstance(found, dict):
        raise Refused("invalid_metadata_format")
    named = isinstance(found.get("event_type"), str) and found["event_type"]
    if not named or not isinstance(found.get("event_payload"), dict):
        raise Refused("invalid_metadata_schema")
    if len(json.dumps(found)) > limits.METADATA_BYTES:
        raise Refused("metadata_too_large")
    return {"event_type": found["event_type"], "event_payload": found["event_payload"]}


def thread(found: Channel, arguments: Arguments) -> str:
    """The thread a message goes to. A reply's own ts leads to its thread."""
    ts = arguments.text("thread_ts")
    if not ts:
        return ""
    root = found.find(ts)
    if root is None:
        raise Refused("thread_not_found")
    return root.thread_ts or root.ts


@method("chat.postMessage", "chat:write", tier="post")
def post_message(world: "Slack", arguments: Arguments) -> Body:
    found = access.to_post(world, arguments)
    told = content(arguments)
    if not any(told.values()):
        raise Refused("no_text")
    name = arguments.text("username") if "chat:write.customize" in world.scopes else ""
    said = found.add(
        world.bot,
        **told,
        metadata=metadata(arguments) or None,
        thread_ts=thread(found, arguments),
        broadcast=arguments.flag("reply_broadcast") and "thread_ts" in arguments,
        username=name,
        subtype="bot_message" if name else "",
    )
    world.tell.said(said)
    return {"channel": found.id, "ts": said.ts, "message": said.json(metadata=True)}


@method("chat.postEphemeral", "chat:write", tier="4")
def post_ephemeral(world: "Slack", arguments: Arguments) -> Body:
    found = access.to_post(world, arguments)
    reader = world.users.get(arguments.needed("user"))
    if reader is None or reader.id not in found.members:
        raise Refused("user_not_in_channel")
    told = content(arguments)
    if not any(told.values()):
        raise Refused("no_text")
    said = found.add(world.bot, **told, only_for=reader, thread_ts=arguments.text("thread_ts"))
    return {"message_ts": said.ts}


def own(world: "Slack", found: Channel, ts: str, error: str) -> Message:
    """A message of the app's own."""
    kept = access.message(found, ts)
    if kept.user is not world.bot or kept.subtype == "channel_join":
        raise Refused(error)
    return kept


@method("chat.update", "chat:write")
def update(world: "Slack", arguments: Arguments) -> Body:
    """Blocks that are not given stay, unless a text is: then they go. The edited mark is for text alone."""
    found = access.channel(world, arguments)
    kept = own(world, found, arguments.needed("ts"), "cant_update_message")
    if found.archived:
        raise Refused("is_inactive")
    if world.edit_window is not None and world.times.now() - float(kept.ts) > world.edit_window:
        raise Refused("edit_window_closed")
    told, meta = content(arguments), metadata(arguments)
    if not any(told.values()) and meta is None:
        raise Refused("no_text")
    before = kept.json()
    kept.edits.append(kept.text)
    kept.past.append(kept.blocks)
    if told.get("text") and "blocks" not in told:
        kept.blocks = []
        kept.edited = {"user": world.bot.id, "ts": f"{world.times.unix()}.000000"}
    for name, value in told.items():
        setattr(kept, name, value)
    if meta is not None:
        kept.metadata = meta or None
    world.tell.changed(kept, before)
    world.stir()
    return {"channel": found.id, "ts": kept.ts, "text": kept.text, "message": kept.json(metadata=True)}


@method("chat.delete", "chat:write")
def delete(world: "Slack", arguments: Arguments) -> Body:
    found = access.channel(world, arguments)
    kept = own(world, found, arguments.needed("ts"), "cant_delete_message")
    before = kept.json()
    found.drop(kept)
    world.tell.removed(kept, before)
    return {"channel": found.id, "ts": kept.ts}


@method("chat.getPermalink", tier="4")
def permalink(world: "Slack", arguments: Arguments) -> Body:
    found = access.channel(world, arguments)
    kept = access.message(found, arguments.needed("message_ts"))
    link = f"{world.home}/archives/{found.id}/p{kept.ts.replace('.', '')}"
    if kept.is_reply:
        link += f"?thread_ts={kept.thread_ts}&cid={found.id}"
    return {"channel": found.id, "permalink": link}
