"""The arguments of one call, however they came: in the address, as a form or as JSON."""

import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.emulators.slack.refusals import Refused

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass
class Arguments:
    """Web API: basics. Names and values; in a form, lists and objects are JSON in a string."""

    values: dict[str, Any] = field(default_factory=dict)
    token: str = ""

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else value if isinstance(value, str) else json.dumps(value)

    def needed(self, name: str) -> str:
        if name not in self:
            messages = [f"[ERROR] missing required field: {name}"]
            raise Refused("invalid_arguments", messages=messages)
        return self.text(name)

    def number(self, name: str, default: int = 0) -> int:
        try:
            return int(float(self.text(name) or default))
        except ValueError:
            raise Refused("invalid_arguments", messages=[f"[ERROR] invalid `{name}`"]) from None

    def flag(self, name: str, default: bool = False) -> bool:
        return self.text(name).lower() in ("true", "1") if name in self else default

    def object(self, name: str, error: str = "invalid_arguments") -> Any:
        """What stands there, read as JSON if it came as text; `error` refuses what is no JSON."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise Refused(error) from None

    def words(self, name: str) -> list[str]:
        """A list that may have come as JSON or with commas."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(one) for one in value]
        text = self.text(name)
        if text.startswith("["):
            return [str(one) for one in self.object(name)]
        return [one.strip() for one in text.split(",") if one.strip()]


async def read(request: web.Request) -> Arguments:
    """Web API: GET and POST; query string, form or JSON. The token comes in the header, or as an argument
    unless the body is JSON."""
    found = Arguments(dict(request.query))
    if request.can_read_body and request.method == "POST":
        if request.content_type == "application/json":
            try:
                body = await request.json()
            except ValueError:
                raise Refused("invalid_json") from None
            if not isinstance(body, dict):
                raise Refused("json_not_object")
            found.values |= {name: value for name, value in body.items() if name != "token"}
        elif request.content_type in FORMS:
            found.values |= dict(await request.post())
        else:
            raise Refused("invalid_post_type")
    found.token = str(found.values.pop("token", ""))
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        found.token = rest.strip()
    return found
