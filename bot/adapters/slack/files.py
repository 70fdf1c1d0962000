"""Files that come along: what Slack tells of them, and what it must be asked for."""

from collections.abc import Mapping
from typing import Any

from bot.adapters.slack.client import Client
from bot.adapters.slack.known import Asked
from bot.incoming import Carried

Json = Mapping[str, Any]
LIMIT = 1_000_000_000
"""Bytes of the largest file that Slack keeps (docs.slack.dev: working with files)."""
_ELSEWHERE = frozenset(("external", "canvas", "list", "post", "quip", "space"))
"""Modes of what is kept elsewhere, or is a page of Slack's: there is a link to it, and there are no bytes."""


class Files:
    """Files of shared channels, which Slack tells nothing of but their ids."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: Asked[Json] = Asked(self._ask, lambda file: {"id": file}, fresh=3600.0)

    def whole(self, file: Json) -> Json:
        """The file with its name and size. Raises Lacking when Slack must be asked for them."""
        if file.get("file_access") != "check_file_info":
            return file
        return self._known.get(str(file["id"]))

    async def _ask(self, file: str) -> Json:
        answer = await self._client.web.files_info(file=file)
        found: Json = answer["file"]
        return {
            name: found.get(name) for name in ("id", "name", "title", "mimetype", "size", "mode", "permalink")
        }


def is_link(file: Json) -> bool:
    """Whether it is told as a link, for there are no bytes to be had."""
    return file.get("mode") in _ELSEWHERE


def link(file: Json) -> str:
    """What it is called, and where it is."""
    where = file.get("external_url") or file.get("url_private") if file.get("mode") == "external" else None
    return f"📎 {_name(file)} ({where or file.get('permalink') or file['id']})"


def carried(file: Json) -> Carried:
    """The file as it is fetched; one that is not there any more is found out when it is."""
    size = file.get("size")
    return Carried(
        key=str(file["id"]),
        name=_name(file),
        mime=str(file.get("mimetype") or "application/octet-stream"),
        size=int(size) if size is not None else None,
        limit=LIMIT,
    )


def _name(file: Json) -> str:
    return str(file.get("name") or file.get("title") or file["id"])
