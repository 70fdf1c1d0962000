"""The parameters of one call, however they came: in the address, as a form, as JSON or with files."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.emulators.telegram.refusals import Refused, bad


@dataclass(frozen=True)
class Upload:
    name: str
    mime: str
    data: bytes


@dataclass
class Arguments:
    """Bot API: making requests. Names and values; lists and objects are JSON-serialized unless the body is
    JSON."""

    values: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) not in (None, "") or name in self.uploads

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(float(self.text(name) or default))
        except ValueError:
            raise bad(f"invalid {name} specified") from None

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "yes", "1")

    def object(self, name: str) -> Any:
        """Bot API: a value that is not the JSON it should be refuses the call."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def list(self, name: str) -> Any:
        value = self.object(name)
        if value is not None and not isinstance(value, list):
            raise bad(f"can't parse {name.replace('_', ' ')} JSON object")
        return value or []


async def read(request: web.Request) -> Arguments:
    """Bot API: GET and POST; query string, form, JSON or multipart, each value in any of them."""
    read_out = Arguments(dict(request.query))
    kind = request.content_type
    if request.method == "GET" or not request.can_read_body:
        return read_out
    if kind == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise bad("can't parse JSON object") from None
        read_out.values |= body
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        try:
            form = await request.post()
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, "Request Entity Too Large") from None
        for name, value in form.items():
            if isinstance(value, web.FileField):
                data = value.file.read()
                value.file.close()
                read_out.uploads[name] = Upload(value.filename, value.content_type, data)
            else:
                read_out.values[name] = value
    return read_out
