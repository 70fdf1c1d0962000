"""Reading the JSON of a request: every field has its form, anything else is refused in a sentence."""

import json
import re
from typing import Any, NoReturn

from aiohttp import web

from bot.web.refusals import Refused
from bot.web.settings import TEXT_LIMIT
from core.kernel import text as texts

FILES = 20
"""The most files in one message."""
_VALUES = 50
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_CODE = re.compile(r"[!-~]{1,60}")


class Fields:
    """The fields of a JSON object. Fields nobody asks for are not looked at."""

    def __init__(self, given: dict[str, Any]) -> None:
        self._given = given

    def key(self) -> str:
        """The name under which this request counts once."""
        return self._matching("key", _KEY)

    def code(self) -> str:
        """The code of a button or a form."""
        return self._matching("code", _CODE)

    def name(self, field: str) -> str:
        """A short word, such as a room or a language."""
        value = self._given.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= 300:
            _wrong(field)
        return value

    def number(self, field: str) -> int:
        """The id of a message."""
        value = self._given.get(field)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**53:
            _wrong(field)
        return value

    def number_or_none(self, field: str) -> int | None:
        return None if self._given.get(field) is None else self.number(field)

    def text(self) -> str:
        """What somebody wrote, fit to be kept; may be empty."""
        return _cleaned("text", self._given.get("text"))

    def files(self) -> list[str]:
        """Ids of files uploaded before."""
        value = self._given.get("files") or []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            _wrong("files")
        if len(value) > FILES:
            raise Refused(400, "web.files_too_many", limit=FILES)
        return list(dict.fromkeys(value))

    def values(self) -> dict[str, str]:
        """What was filled into a form."""
        value = self._given.get("values")
        if not isinstance(value, dict) or len(value) > _VALUES:
            _wrong("values")
        return {texts.clean(name)[:64]: _cleaned("values", each) for name, each in value.items()}

    def _matching(self, field: str, form: re.Pattern[str]) -> str:
        value = self._given.get(field)
        if not isinstance(value, str) or not form.fullmatch(value):
            _wrong(field)
        return value


async def read(request: web.Request) -> Fields:
    """The request's JSON object. Raises Refused for anything else."""
    if request.content_type != "application/json":
        raise Refused(415, "web.not_json")
    try:
        given = json.loads((await request.read()).decode("utf-8"))
    except (ValueError, RecursionError, web.RequestPayloadError):
        raise Refused(400, "web.not_json") from None
    if not isinstance(given, dict):
        raise Refused(400, "web.not_json")
    return Fields(given)


def _cleaned(field: str, value: object) -> str:
    if not isinstance(value, str):
        _wrong(field)
    if len(value) > TEXT_LIMIT:
        raise Refused(413, "web.text_too_long", limit=TEXT_LIMIT)
    return texts.clean(value)


def _wrong(field: str) -> NoReturn:
    raise Refused(400, "web.field", field=field)
