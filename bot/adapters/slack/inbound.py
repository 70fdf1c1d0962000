"""Reading: what Slack brought becomes what somebody did. Nothing is decided, nothing unknown is an error."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.adapters.slack import acts, emojis, envelope
from bot.adapters.slack.envelope import Json
from bot.adapters.slack.reading import PLATFORM, Known, Reading, is_direct, thread_of
from bot.incoming import Deleted, Edited, Incoming, Opened, Quoted, Reacted, Said, Sender, Trouble, What
from core.kernel.ids import Address, Identity

__all__ = ["PLATFORM", "Known", "read"]

EMOJI = {
    "eyes": "👀",
    "white_check_mark": "✅",
    "heavy_check_mark": "✅",
    "ballot_box_with_check": "✅",
    "ticket": "🎫",
    "admission_tickets": "🎫",
}
"""What Slack calls the emoji that mean something here."""
TICKET = "🎫"
_SAYING = (None, "file_share", "thread_broadcast", "me_message", "bot_message")
"""Kinds of messages in which somebody says something; the others tell of what happened to a channel."""


def read(body: Json, known: Known) -> Incoming | None:
    """What it means; None where it is of no concern. Raises ValueError for what is malformed, Lacking for
    what Slack must be asked about first."""
    try:
        at = datetime.fromtimestamp(float(body["at"]), UTC)
        reading = Reading(known, body["payload"], at, body.get("press"))
        incoming = _READERS[body["kind"]](reading)
    except envelope.ODD as error:
        raise ValueError(f"this is nothing that Slack tells ({type(error).__name__})") from error
    if incoming is None or not (_served(incoming.sender, known) or isinstance(incoming.what, Trouble)):
        return None
    return replace(incoming, what=_quoting(incoming.what, known))


def _served(sender: Sender, known: Known) -> bool:
    """People of other workspaces are others, though their ids may be the same."""
    return known.others or sender.identity.account.startswith(f"{known.me.team}/")


def _quoting(what: What, known: Known) -> What:
    """Nothing is made of the words of people who are not served, as of those of programs."""
    if not isinstance(what, Said | Reacted) or what.quoted is None or _served(what.quoted.sender, known):
        return what
    sender = replace(what.quoted.sender, automatic=True)
    return replace(what, quoted=replace(what.quoted, sender=sender))


def _event(reading: Reading) -> Incoming | None:
    event: Json = reading.payload.get("event") or {}
    reader = _EVENTS.get(event.get("type", ""))
    return reader(reading, event) if reader is not None else None


# ---- what is said


def _message(reading: Reading, event: Json) -> Incoming | None:
    if event.get("subtype") == "message_deleted" or envelope.leaves_tombstone(event):
        return _deleted(reading, event)
    if event.get("subtype") == "message_changed":
        return _edited(reading, event)
    if event.get("subtype") not in _SAYING or event.get("hidden") or envelope.ours(event, reading.me):
        return None
    return _said(reading, event)


def _said(reading: Reading, event: Json) -> Incoming:
    """In direct messages every message that stands in no thread begins one. Whoever names the desk among
    others may mean what their thread is about."""
    channel, ts, thread = event["channel"], str(event["ts"]), thread_of(event)
    direct, named = is_direct(channel), reading.names_us(event)
    among = named and not direct and not reading.in_staff_room(channel)
    said = Said(
        reading.text(event),
        ts,
        files=reading.carried(event),
        reply_to=thread if direct else None,
        quoted=_standing(reading, channel, thread) if among and thread else None,
        addressed=direct or named,
        where=reading.where(event, channel) if among else None,
        mentions=reading.mentions(event.get("text")),
    )
    sender = reading.author(event)
    return reading.incoming(sender, channel, said, thread=thread or (ts if direct else None), at=ts)


def _standing(reading: Reading, channel: str, ts: str) -> Quoted | None:
    """What stands there, if it can be had."""
    found = reading.known.channels.message(channel, ts)
    return reading.quoted(found, channel) if found is not None else None


def _deleted(reading: Reading, event: Json) -> Incoming | None:
    """A person's message is gone, or but a tombstone above its replies is left. Who did that is not told."""
    channel, message = event["channel"], event["previous_message"]
    if message.get("subtype") not in _SAYING or message.get("bot_id") or envelope.ours(message, reading.me):
        return None
    ts = str(message["ts"])
    thread = thread_of(message) or (ts if is_direct(channel) else None)
    author = reading.author(message)
    return reading.incoming(author, channel, Deleted(ts), thread=thread, at=event["ts"])


def _edited(reading: Reading, event: Json) -> Incoming | None:
    """New words of a person. That Slack shows what a link leads to is no edit, nor is a message's end."""
    message, before = event["message"], event.get("previous_message") or {}
    if message.get("subtype") not in _SAYING or message.get("bot_id") or envelope.ours(message, reading.me):
        return None
    if "edited" not in message or message.get("text") == before.get("text"):
        return None
    channel, ts, thread = event["channel"], str(message["ts"]), thread_of(message)
    edited = Edited(reading.text(message), ts)
    at = message["edited"]["ts"]
    thread = thread or (ts if is_direct(channel) else None)
    return reading.incoming(reading.author(message), channel, edited, thread=thread, at=at)


def _reacted(reading: Reading, event: Json) -> Incoming | None:
    """An emoji that means something, or any under the desk's own words in private. What stands above a ticket
    is asked for where people talk: what the desk itself wrote, and what is said in staff rooms, it knows."""
    name, item = str(event["reaction"]), event["item"]
    if item.get("type") != "message":
        return None
    channel, ts = item["channel"], str(item["ts"])
    others = event.get("item_user") != reading.me.user
    emoji = EMOJI.get(name.partition("::")[0])
    if emoji is None and is_direct(channel) and not others:
        emoji = emojis.sign(name)
    if emoji is None:
        return None
    sender = reading.sender(event["user"])
    if emoji != TICKET or not others or reading.in_staff_room(channel):
        return reading.incoming(sender, channel, Reacted(emoji, ts))
    found = reading.known.channels.message(channel, ts)
    quoted = reading.quoted(found, channel) if found is not None else None
    thread = thread_of(found) if found is not None else None
    return reading.incoming(sender, channel, Reacted(emoji, ts, quoted), thread=thread)


def _opened(reading: Reading, event: Json) -> Incoming | None:
    if event.get("tab") != "home":
        return None
    return acts.at_home(reading, reading.sender(event["user"]), Opened())


# ---- what happens to the desk itself


def _joined(reading: Reading, event: Json) -> Incoming | None:
    if event["user"] != reading.me.user:
        return None
    return _trouble(reading, "returned", event["channel"], event.get("inviter"))


def _left(reading: Reading, event: Json) -> Incoming | None:
    return _trouble(reading, "removed", event["channel"], event.get("actor_id"))


def _archived(reading: Reading, event: Json) -> Incoming | None:
    return _trouble(reading, "removed", event["channel"], event.get("user"))


def _unarchived(reading: Reading, event: Json) -> Incoming | None:
    return _trouble(reading, "returned", event["channel"], event.get("user"))


def _trouble(reading: Reading, kind: str, channel: str, actor: str | None) -> Incoming | None:
    """What happened to a room of agents; elsewhere nobody misses the desk."""
    room = f"{reading.me.team}/{channel}"
    if room not in reading.known.staff:
        return None
    sender = reading.sender(actor) if actor else reading.app()
    return reading.incoming(sender, channel, Trouble(kind, reading.known.channels.name(channel)))


def shut_out(staff: Sequence[str], at: datetime, why: str) -> Incoming | None:
    """The desk cannot work in the workspace as it should: that is told of its first room of agents."""
    if not staff:
        return None
    sender = Sender(Identity(PLATFORM, f"{staff[0].partition('/')[0]}/app"), "Slack")
    return Incoming(sender, Address(PLATFORM, staff[0]), at, Trouble("shut_out", why), private=False)


_EVENTS: Mapping[str, Callable[[Reading, Json], Incoming | None]] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reacted,
    "app_home_opened": _opened,
    "member_joined_channel": _joined,
    "channel_left": _left,
    "group_left": _left,
    "channel_archive": _archived,
    "group_archive": _archived,
    "channel_unarchive": _unarchived,
    "group_unarchive": _unarchived,
}
_READERS: Mapping[str, Callable[[Reading], Incoming | None]] = {
    "event": _event,
    "interaction": acts.interaction,
    "command": acts.command,
}
