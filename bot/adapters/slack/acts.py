"""Reading what people do with what the desk shows: buttons, forms, shortcuts and commands."""

from collections.abc import Callable, Mapping

from bot.adapters.slack import envelope, manifest, views
from bot.adapters.slack.envelope import Json
from bot.adapters.slack.reading import HOME, PLATFORM, Reading, is_direct, thread_of
from bot.incoming import Incoming, Pressed, Said, Sender, Submitted, What
from core.kernel.ids import Address


def interaction(reading: Reading) -> Incoming | None:
    act = _ACTS.get(reading.payload.get("type", ""))
    return act(reading) if act is not None else None


def at_home(reading: Reading, sender: Sender, what: What) -> Incoming:
    """On somebody's Home tab."""
    where = Address(PLATFORM, f"{sender.identity.account}{HOME}")
    return Incoming(sender, where, reading.at, what, private=True)


def _alone(reading: Reading, sender: Sender, what: What) -> Incoming:
    """In the conversation of this person with the desk."""
    where = Address(PLATFORM, sender.identity.account)
    return Incoming(sender, where, reading.at, what, private=True)


def _actor(reading: Reading) -> Sender:
    user, team = reading.payload["user"], reading.payload.get("team") or {}
    return reading.sender(user["id"], user.get("team_id") or team.get("id"))


# ---- buttons and forms


def _pressed(reading: Reading) -> Incoming | None:
    """A button of a message or of the Home tab. In a form nothing is pressed that would count."""
    payload, press = reading.payload, reading.press
    code = next((code for action in payload["actions"] if (code := _code(action))), None)
    view = payload.get("view") or {}
    if code is None or view.get("type") == "modal":
        return None
    sender = _actor(reading)
    if view:
        return _alone(reading, sender, Pressed(code, press=press))
    message, container = payload.get("message") or {}, payload["container"]
    ts = str(container["message_ts"])
    thread = thread_of({"ts": ts, "thread_ts": container.get("thread_ts") or message.get("thread_ts")})
    channel = envelope.channel_of(payload)
    if channel is None:
        return None
    shown_to_all = not container.get("is_ephemeral")  # below what one person alone sees there is no thread
    below = thread or (ts if is_direct(channel) and shown_to_all else None)
    return reading.incoming(sender, channel, Pressed(code, ts, press), thread=below)


def _code(action: Json) -> str | None:
    """Of a button, or of what was chosen in a menu."""
    found = action.get("value") or (action.get("selected_option") or {}).get("value")
    return str(found) if found else None


def _submitted(reading: Reading) -> Incoming:
    """A form; where it was opened, it says itself."""
    view, sender = reading.payload["view"], _actor(reading)
    values = views.whole((str(name), _value(held)) for name, held in view["state"]["values"].items())
    submitted = Submitted(str(view["callback_id"]), values, reading.press)
    if not view.get("private_metadata"):
        return _alone(reading, sender, submitted)
    where = Address.parse(view["private_metadata"])
    private = where.room.removesuffix(HOME) == sender.identity.account
    return Incoming(sender, where, reading.at, submitted, private)


def _value(held: Json) -> str:
    """What stands in the one element of a field; a choice by its value."""
    element: Json = next(iter(held.values()), {})
    chosen = element.get("selected_option") or {}
    return str(element.get("value") or chosen.get("value") or "")


# ---- shortcuts and commands


def _on_message(reading: Reading) -> Incoming | None:
    """A shortcut in a message's menu: a ticket of it, or its words sent to the requester."""
    payload = reading.payload
    message, channel, sender = payload["message"], payload["channel"]["id"], _actor(reading)
    quoted = reading.quoted({**message, "ts": payload["message_ts"]}, channel)
    thread, text = thread_of(message), ""
    if payload["callback_id"] == manifest.TICKET:
        text = "/ticket"
    elif payload["callback_id"] == manifest.SEND:
        text, thread = "/reply", thread or quoted.message
    if not text:
        return None
    said = Said(text, _id(reading), reading.carried(message), quoted=quoted, press=reading.press)
    if not reading.known.channels.within(channel):  # nothing can be said there
        return _alone(reading, sender, said)
    return reading.incoming(sender, channel, said, thread=thread)


def _anywhere(reading: Reading) -> Incoming | None:
    """A shortcut of the whole workspace."""
    if reading.payload["callback_id"] != manifest.NEW:
        return None
    return _alone(reading, _actor(reading), Said("/new", _id(reading), press=reading.press))


def command(reading: Reading) -> Incoming:
    """`/desk take 42`, or `/take 42` where that stands alone."""
    payload = reading.payload
    name, words = str(payload["command"]).removeprefix("/"), reading.words(payload.get("text")).strip()
    text = f"/{words.removeprefix('/') or 'help'}" if name == manifest.ROOT else f"/{name} {words}".strip()
    sender = reading.sender(payload["user_id"], payload.get("team_id"))
    mentions = reading.mentions(payload.get("text"))
    said = Said(text, _id(reading), press=reading.press, mentions=mentions)
    return reading.incoming(sender, payload["channel_id"], said)


def _id(reading: Reading) -> str:
    """What stands for a message of which there is none."""
    return reading.press or ""


_ACTS: Mapping[str, Callable[[Reading], Incoming | None]] = {
    "block_actions": _pressed,
    "view_submission": _submitted,
    "message_action": _on_message,
    "shortcut": _anywhere,
}
