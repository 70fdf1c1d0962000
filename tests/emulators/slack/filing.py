"""Methods of files: uploading in three steps, and looking a file up."""

from typing import TYPE_CHECKING, Any

from tests.emulators.slack import access, blocks, mrkdwn
from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.files import Stored, Ticket
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

Body = dict[str, Any]


@method("files.getUploadURLExternal", "files:write", tier="4")
def get_upload_url(world: "Slack", arguments: Arguments) -> Body:
    """A ticket for so many bytes under this name."""
    length = arguments.number("length")
    name = arguments.needed("filename")
    if length <= 0:
        raise Refused("invalid_arguments", messages=["[ERROR] must be greater than 0 [json-pointer:/length]"])
    if length > world.largest_file:
        raise Refused("file_upload_size_restricted")
    stored = Stored(world.names.fresh("F"), name, b"", world.bot, world.times.unix())
    ticket = world.names.fresh("CwABAAAA")
    world.files.tickets[ticket] = Ticket(stored, length)
    return {"upload_url": f"{world.url}/upload/v1/{ticket}", "file_id": stored.id}


@method("files.completeUploadExternal", "files:write", tier="4")
def complete_upload(world: "Slack", arguments: Arguments) -> Body:
    """The files become real and, with a channel, a message of the bot's. Its ts is not told."""
    asked = arguments.object("files")
    if not isinstance(asked, list) or not asked:
        raise Refused("invalid_arguments", messages=["[ERROR] missing required field: files"])
    ready = [(_uploaded(world, str(one.get("id", ""))), one.get("title")) for one in asked]
    names = arguments.words("channels") or arguments.words("channel_id")
    where = [_channel(world, name) for name in names]
    for ticket, title in ready:
        ticket.file.title = str(title or ticket.file.name)
        world.files.keep(ticket.file)
    files = [ticket.file for ticket, _ in ready]
    for found in where:
        _share(world, found, files, arguments)
    return {"files": [one.json(world) for one in files]}


def _uploaded(world: "Slack", id: str) -> Ticket:
    for ticket in world.files.tickets.values():
        if ticket.file.id == id and ticket.arrived:
            return ticket
    raise Refused("file_not_found")


def _channel(world: "Slack", name: str) -> Channel:
    found = access.channel(world, Arguments({"channel": name}))
    if found.archived:
        raise Refused("is_archived")
    if not found.has_bot:
        raise Refused("not_in_channel")
    return found


def _share(world: "Slack", found: Channel, files: list[Stored], arguments: Arguments) -> None:
    root = found.find(arguments.text("thread_ts"))
    asked = arguments.object("blocks", "invalid_blocks_format")
    said = found.add(
        world.bot,
        text=mrkdwn.normal(arguments.text("initial_comment")),
        blocks=blocks.for_message(asked) if asked else [],
        files=files,
        subtype="file_share",
        thread_ts=(root.thread_ts or root.ts) if root is not None else "",
    )
    for one in files:
        one.shares.append((found.id, said.ts))
    world.tell.said(said)


@method("files.info", "files:read", tier="4")
def file_info(world: "Slack", arguments: Arguments) -> Body:
    found = world.files.by_id.get(arguments.needed("file"))
    if found is None:
        raise Refused("file_not_found")
    if found.gone:
        raise Refused("file_deleted")
    shares: dict[str, dict[str, list[Body]]] = {"public": {}, "private": {}}
    for channel, ts in found.shares:
        kind = "public" if world.channels[channel].kind == "channel" else "private"
        shares[kind].setdefault(channel, []).append({"ts": ts})
    return {
        "file": found.json(world) | {"shares": shares},
        "comments": [],
        "response_metadata": {"next_cursor": ""},
    }


@method("files.delete", "files:write")
def file_delete(world: "Slack", arguments: Arguments) -> Body:
    found = world.files.by_id.get(arguments.needed("file"))
    if found is None or found.gone:
        raise Refused("file_not_found")
    if found.owner is not world.bot:
        raise Refused("cant_delete_file")
    found.gone, found.data = True, b""
    return {}
