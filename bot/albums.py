"""Albums: files that were sent together come as messages of their own, and nothing says which is the last."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.incoming import Incoming, Said
from core.inbox.model import Letter
from core.kernel import marked

GATHER = timedelta(seconds=1)
"""After so long without a further part an album counts as whole."""


def name(incoming: Incoming | None) -> str | None:
    """The album something belongs to, if any."""
    return incoming.what.album if incoming is not None and isinstance(incoming.what, Said) else None


def whole_at(letters: Sequence[Letter]) -> datetime:
    """When no further part is waited for any more."""
    return max(letter.received_at for letter in letters) + GATHER


def merged(parts: Sequence[Incoming]) -> Incoming:
    """One message with every file and all words; it answers and is named as the first part was."""
    said = [part.what for part in parts if isinstance(part.what, Said)]
    words = marked.joined("\n", [each.text for each in said if each.text])
    files = tuple(file for each in said for file in each.files)
    return replace(parts[0], what=replace(said[0], text=words, files=files))
