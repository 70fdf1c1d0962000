"""Channels: how they are called, who is behind a direct message, and what stands at a place in them."""

from collections.abc import Mapping
from typing import Any

from bot.adapters.slack import faults
from bot.adapters.slack.client import Client
from bot.adapters.slack.known import Asked

Json = Mapping[str, Any]
DIRECT = "D"
"""What the id of a direct message begins with; it is a room of the person, by their id."""

STANDS = 3600.0
"""Seconds in which words that are pointed at need not be asked for again."""


THERE = 60.0
"""Seconds in which it need not be asked again whether the app is in a channel."""


class Channels:
    """What was heard of the channels the desk is in."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._names: Asked[str] = Asked(self._ask_name, str)
        self._messages: Asked[Json | None] = Asked(self._ask_message, lambda _: None, fresh=STANDS)
        self._within: Asked[bool] = Asked(self._ask_within, lambda _: False, fresh=THERE)
        self._dm_of: dict[str, str] = {}

    # ---- direct messages

    async def dm(self, user: str) -> str:
        """The id of the direct messages with this person. Raises TemporaryError, PermanentError."""
        if user not in self._dm_of:
            with faults.translated():
                answer = await self._client.web.conversations_open(users=user)
                channel = str(answer["channel"]["id"])
            self.direct(channel, user)
        return self._dm_of[user]

    def direct(self, channel: str, user: str) -> None:
        """Remember whose direct messages these are."""
        self._dm_of[user] = channel

    def left(self, user: str) -> None:
        """Their account is closed: Slack would still take messages that nobody ever reads."""
        self._dm_of.pop(user, None)

    # ---- names and members

    def name(self, channel: str) -> str:
        """How the channel is called, without #. Raises Lacking when it was not asked for yet."""
        return self._names.get(channel)

    async def _ask_name(self, channel: str) -> str:
        answer = await self._client.web.conversations_info(channel=channel)
        return str(answer["channel"].get("name") or channel)

    def within(self, channel: str) -> bool:
        """Whether the app is there, or they are direct messages with it. Raises Lacking when it was not asked
        for of late."""
        return self._within.get(channel)

    async def _ask_within(self, channel: str) -> bool:
        found = (await self._client.web.conversations_info(channel=channel))["channel"]
        return bool(found.get("is_member") or found.get("is_im"))

    # ---- what stands there

    def message(self, channel: str, ts: str) -> Json | None:
        """A message as it stood when it was asked for; None for one that cannot be had.

        Raises Lacking when it was not asked for yet."""
        return self._messages.get(f"{channel}/{ts}")

    async def _ask_message(self, place: str) -> Json | None:
        channel, _, ts = place.partition("/")
        at: dict[str, Any] = {"channel": channel, "oldest": ts, "latest": ts, "inclusive": True, "limit": 1}
        answer = await self._client.web.conversations_history(**at)
        found = _at(answer, ts)
        if found is None:  # in a thread, whose replies no history tells
            found = _at(await self._client.web.conversations_replies(**at, ts=ts), ts)
        return found


def _at(answer: Any, ts: str) -> Json | None:
    return next((message for message in answer["messages"] if message.get("ts") == ts), None)
