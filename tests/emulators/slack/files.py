"""Files: what people attach, what the app uploads, and the addresses both are fetched from."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack

TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "pdf": "application/pdf"}
TYPES |= {
    "txt": "text/plain",
    "csv": "text/csv",
    "mp4": "video/mp4",
    "m4a": "audio/mp4",
    "zip": "application/zip",
}
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
)


@dataclass(frozen=True)
class File:
    """What a person attaches."""

    name: str
    data: bytes
    title: str = ""
    size: int | None = None
    """What Slack says of its size, if not the truth."""


@dataclass(eq=False)
class Stored:
    """A file in Slack. `size` may be told larger than the data is; `gone`: deleted since."""

    id: str
    name: str
    data: bytes
    owner: "Person"
    created: int
    title: str = ""
    size: int = 0
    gone: bool = False
    shares: list[tuple[str, str]] = field(default_factory=list)
    """Channel and ts of each message that has it."""

    @property
    def ending(self) -> str:
        return self.name.rpartition(".")[2].lower() if "." in self.name else "bin"

    @property
    def path(self) -> str:
        return f"/files-pri/{self.owner.team}-{self.id}/download/{quote(self.name)}"

    def json(self, world: "Slack", *, connect: bool = False) -> dict[str, Any]:
        """Slack: file object. `connect`: in a channel shared with others it must be asked for first."""
        if self.gone:
            return {"id": self.id, "mode": "tombstone"}
        if connect:
            return {"id": self.id, "file_access": "check_file_info", "created": 0, "timestamp": 0, "user": ""}
        url = world.url + self.path
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": TYPES.get(self.ending, "application/octet-stream"),
            "filetype": self.ending if self.ending in TYPES else "binary",
            "pretty_type": self.ending.upper(),
            "user": self.owner.id,
            "user_team": self.owner.team,
            "editable": False,
            "size": self.size,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": any(channel.startswith("C") for channel, _ in self.shares),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": url.replace("/download/", "/"),
            "url_private_download": url,
            "media_display_type": "unknown",
            "permalink": f"{world.home}/files/{self.owner.id}/{self.id}/{quote(self.name.lower())}",
            "permalink_public": f"{world.home}/public/{self.id}",
            "is_starred": False,
            "has_rich_preview": False,
            "file_access": "visible",
        }


@dataclass
class Ticket:
    """An upload on its way: begun by files.getUploadURLExternal, not yet completed."""

    file: Stored
    length: int
    arrived: bool = False


class Files:
    def __init__(self) -> None:
        self.by_id: dict[str, Stored] = {}
        self.by_path: dict[str, Stored] = {}
        self.tickets: dict[str, Ticket] = {}

    def keep(self, stored: Stored) -> Stored:
        self.by_id[stored.id] = stored
        self.by_path[stored.path] = stored
        self.by_path[stored.path.replace("/download/", "/")] = stored
        return stored
