"""People: how they are called, asked for once. They are known by their immutable ids alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.adapters.slack.client import Client
from bot.adapters.slack.known import Asked


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack tells of somebody. `team` is their workspace, which need not be ours."""

    name: str
    language: str | None = None
    team: str | None = None
    automatic: bool = False


class People:
    """Whoever was heard of, by user id."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: Asked[Person] = Asked(self._ask, Person)

    def get(self, user: str) -> Person:
        """Raises Lacking for somebody not asked about yet."""
        return self._known.get(user)

    def name(self, user: str) -> str:
        """How they are called. Raises Lacking for somebody not asked about yet."""
        return self.get(user).name

    def changed(self, user: Mapping[str, Any]) -> None:
        """Slack tells that somebody is called otherwise now, or speaks another language."""
        if self._known.find(str(user["id"])) is not None:
            self._known.put(str(user["id"]), _person(user))

    async def _ask(self, user: str) -> Person:
        answer = await self._client.web.users_info(user=user, include_locale=True)
        return _person(answer["user"])


def _person(user: Mapping[str, Any]) -> Person:
    profile = user.get("profile") or {}
    names = (
        profile.get("display_name"),
        profile.get("real_name"),
        user.get("real_name"),
        user.get("name"),
        user["id"],
    )
    return Person(
        next(str(name) for name in names if name),
        str(user["locale"]) if user.get("locale") else None,
        str(user["team_id"]) if user.get("team_id") else None,
        automatic=bool(user.get("is_bot")),
    )
