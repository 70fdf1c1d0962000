"""People: how they are called, asked for once. They are known by their immutable ids alone."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.adapters.slack.client import Client
from bot.adapters.slack.known import Asked, Lacking
from core.kernel.errors import TemporaryError


@dataclass(frozen=True, slots=True)
class Person:
    """What Slack tells of somebody. `team` is their workspace, which need not be ours."""

    name: str
    language: str | None = None
    team: str | None = None
    automatic: bool = False
    stands_in: bool = False
    """Only the id is known, for want of an answer."""


class People:
    """Whoever was heard of, by user id. Nobody waits to be served because Slack asks to wait with questions:
    so long their id is their name."""

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._known: Asked[Person] = Asked(self._ask, Person, monotonic=monotonic)

    def get(self, user: str) -> Person:
        """Raises Lacking for somebody not asked about yet."""
        try:
            return self._known.get(user)
        except Lacking:
            raise Lacking("who it is", partial(self._learn, user)) from None

    def home(self, user: str) -> str | None:
        """Their workspace, for which nothing stands in. Raises Lacking while it was not answered."""
        person = self.get(user)
        if person.stands_in:
            raise Lacking("whose it is", partial(self._known.learn, user))
        return person.team

    async def _learn(self, user: str) -> None:
        try:
            await self._known.learn(user)
        except TemporaryError as error:
            if error.delay is None:
                raise
            last = self._known.find(user)
            person = last.value if last is not None else Person(user, stands_in=True)
            self._known.lend(user, person, error.delay.total_seconds())

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
