"""Methods that send: text, files, albums, copies."""

from typing import TYPE_CHECKING, Any

from tests.emulators.telegram import access, contents, formatted, keyboards
from tests.emulators.telegram.access import Place
from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.chats import Action, Chat
from tests.emulators.telegram.files import Stored
from tests.emulators.telegram.formatted import Formatted
from tests.emulators.telegram.messages import Message
from tests.emulators.telegram.refusals import bad
from tests.emulators.telegram.registry import method

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

WORDS = {"photo": "photos", "document": "documents", "voice": "voice notes", "video": "videos"}
WORDS |= {"video_note": "video notes", "audio": "audios", "animation": "animations", "sticker": "stickers"}
ACTIONS = {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"}
ACTIONS |= {"upload_document", "choose_sticker", "find_location", "record_video_note", "upload_video_note"}


def post(world: "Telegram", found: Chat, where: Place, arguments: Arguments, **told: Any) -> Message:
    """A new message of the bot's."""
    message = found.add(world.bot, **told)
    message.thread, message.in_topic = where.thread, where.in_topic
    message.reply_to, message.quote = where.reply_to, where.quote
    message.silent = arguments.flag("disable_notification")
    return message


@method("sendMessage")
def send_message(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: sendMessage."""
    text = formatted.text(arguments, world.users)
    markup = keyboards.read(arguments)
    found = access.chat(world, arguments)
    where = access.place(world, found, arguments)
    access.allowed_to_send(found)
    return post(world, found, where, arguments, formatted=text, markup=markup).json()


def _send_file(kind: str) -> None:
    @method(f"send{kind.replace('_', '')}")
    def send(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
        """Bot API: sendPhoto, sendDocument and the rest: an upload, an id of a file, or an address."""
        words = formatted.caption(arguments, world.users)
        markup = keyboards.read(arguments)
        kept = _file(world, kind, arguments, kind)
        found = access.chat(world, arguments)
        where = access.place(world, found, arguments)
        access.allowed_to_send(found, WORDS[kind])
        body = contents.body(world.files, kind, kept)
        told = {"kind": kind, "formatted": words, "body": body, "files": [kept], "markup": markup}
        return post(world, found, where, arguments, **told).json()


for _kind in WORDS:
    _send_file(_kind)


def _file(world: "Telegram", kind: str, arguments: Arguments, key: str) -> Stored:
    value = arguments.text(key)
    name = value.removeprefix("attach://") if value.startswith("attach://") else key
    upload = arguments.uploads.get(name)
    if upload is not None:
        return world.files.upload(kind, upload.data, upload.name, upload.mime)
    if not value:
        raise bad(f"there is no {kind.replace('_', ' ')} in the request")
    if value.startswith(("http://", "https://")):
        raise bad("failed to get HTTP URL content")
    if value.startswith("attach://") or value not in world.files.by_id:
        raise bad("wrong file identifier/HTTP URL specified")
    return world.files.by_id[value]


@method("sendMediaGroup")
def send_media_group(world: "Telegram", arguments: Arguments) -> list[dict[str, Any]]:
    """Bot API: sendMediaGroup. 2-10 items; photos mix with videos only, documents and audios with their
    like."""
    items = arguments.list("media")
    if not 2 <= len(items) <= 10:
        raise bad("group send failed" if not items else "MEDIA_INVALID")
    kinds = {item.get("type") for item in items}
    if not (kinds <= {"photo", "video"} or kinds in ({"document"}, {"audio"})):
        raise bad("Can't use the media of the specified type in the album")
    ready: list[tuple[str, Stored, Formatted]] = []
    for item in items:
        parts = Arguments(item, arguments.uploads)
        words = formatted.caption(parts, world.users)
        ready.append((item["type"], _file(world, item["type"], parts, "media"), words))
    found = access.chat(world, arguments)
    where = access.place(world, found, arguments)
    access.allowed_to_send(found, "photos")
    album = world.fresh_id()
    sent = []
    for kind, kept, words in ready:
        body = contents.body(world.files, kind, kept)
        told = {"kind": kind, "formatted": words, "body": body, "files": [kept], "album": album}
        sent.append(post(world, found, where, arguments, **told).json())
    return sent


@method("sendLocation")
def send_location(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: sendLocation."""
    body = contents.location(float(arguments.text("latitude", "0")), float(arguments.text("longitude", "0")))
    return _plain(world, arguments, "location", body)


@method("sendContact")
def send_contact(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: sendContact."""
    body = contents.contact(arguments.text("phone_number"), arguments.text("first_name"))
    return _plain(world, arguments, "contact", body)


def _plain(world: "Telegram", arguments: Arguments, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    found = access.chat(world, arguments)
    where = access.place(world, found, arguments)
    access.allowed_to_send(found)
    markup = keyboards.read(arguments)
    return post(world, found, where, arguments, kind=kind, body=body, markup=markup).json()


@method("sendChatAction")
def send_chat_action(world: "Telegram", arguments: Arguments) -> bool:
    """Bot API: sendChatAction."""
    if arguments.text("action") not in ACTIONS:
        raise bad("wrong parameter action in request")
    found = access.chat(world, arguments)
    number = arguments.number("message_thread_id")
    if number and found.topic(number) is None:
        raise bad("message thread not found")
    found.actions.append(Action(arguments.text("action"), world.times.now(), number or None))
    return True


@method("forwardMessage")
def forward_message(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: forwardMessage. Service messages cannot be forwarded."""
    source = _source(world, arguments, "message to forward")
    message = _repeat(world, arguments, source, source.formatted)
    origin: dict[str, Any] = {"type": "user", "date": source.date}
    if source.sender is not None:
        origin["sender_user"] = source.sender.json()
    message.body = message.body | {"forward_origin": source.body.get("forward_origin", origin)}
    return message.json()


@method("copyMessage")
def copy_message(world: "Telegram", arguments: Arguments) -> dict[str, Any]:
    """Bot API: copyMessage. Like a forward without the link to the original; answers the new id alone."""
    source = _source(world, arguments, "message to copy")
    words = source.formatted
    if "caption" in arguments:
        words = formatted.caption(arguments, world.users)
    message = _repeat(world, arguments, source, words)
    message.body.pop("forward_origin", None)
    message.markup = keyboards.read(arguments)
    return {"message_id": message.id}


def _source(world: "Telegram", arguments: Arguments, what: str) -> Message:
    found = access.chat(world, arguments, "read", "from_chat_id")
    source = access.message(found, arguments.number("message_id"), what)
    if source.kind in world.SERVICE:
        raise bad("the message can't be " + ("copied" if what.endswith("copy") else "forwarded"))
    return source


def _repeat(world: "Telegram", arguments: Arguments, source: Message, words: Formatted) -> Message:
    found = access.chat(world, arguments)
    where = access.place(world, found, arguments)
    access.allowed_to_send(found)
    told = {"kind": source.kind, "formatted": words, "body": dict(source.body), "files": list(source.files)}
    return post(world, found, where, arguments, **told)
