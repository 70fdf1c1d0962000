"""What every reading needs: who it was, where, and in which words."""

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bot.adapters.slack import envelope, files, plain, rich
from bot.adapters.slack.account import Me
from bot.adapters.slack.channels import DIRECT, Channels
from bot.adapters.slack.envelope import Json
from bot.adapters.slack.files import Files
from bot.adapters.slack.people import People
from bot.incoming import Carried, Incoming, Quoted, Sender, What
from core.kernel import marked
from core.kernel.ids import Address, Identity

PLATFORM = "slack"
HOME = "~home"
"""How the room of a person's Home tab ends."""
SLACKBOT = "USLACKBOT"
NAMES = 20
"""So many people and channels of one text are asked for; what else nobody has heard of keeps its id."""


_NAMED = re.compile(r"<@(\w+)(?:\|[^<>]*)?>")


@dataclass(frozen=True, slots=True)
class Known:
    """What reading looks things up in; each raises Lacking for what Slack must be asked for first."""

    me: Me
    people: People
    channels: Channels
    files: Files
    staff: Sequence[str] = ()
    """The rooms of agents."""
    others: bool = False
    """People of other workspaces are served too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that Slack brought. `at` is when it came, `press` our id of what waits for an answer."""

    known: Known
    payload: Json
    at: datetime
    press: str | None

    @property
    def me(self) -> Me:
        return self.known.me

    # ---- who

    def sender(self, user: str, team: Any = None) -> Sender:
        """Somebody by their workspace and their id in it; a shared channel need not say which that is."""
        if user == SLACKBOT:
            return Sender(self._identity(user, None), "Slackbot", automatic=True)
        person = self.known.people.get(user)
        shared = self.payload.get("is_ext_shared_channel")
        home = team or (self.known.people.home(user) if shared else self.payload.get("team_id"))
        return Sender(self._identity(user, home), person.name, person.language, person.automatic)

    def author(self, message: Json) -> Sender:
        """Who wrote a message. Programs have no names that could be asked for."""
        team = envelope.team_of(message)
        if not message.get("bot_id"):
            return self.sender(message["user"], team)
        profile = message.get("bot_profile") or {}
        identity = self._identity(message.get("user") or message["bot_id"], team)
        return Sender(identity, str(message.get("username") or profile.get("name") or "bot"), automatic=True)

    def app(self) -> Sender:
        """The app itself."""
        return Sender(self._identity(self.me.user, None), self.me.name)

    def _identity(self, user: str, team: Any) -> Identity:
        return Identity(PLATFORM, envelope.account(user, team, self.me))

    # ---- where

    def incoming(
        self, sender: Sender, channel: str, what: What, *, thread: str | None = None, at: Any = None
    ) -> Incoming:
        room = envelope.room(channel, sender.identity.account, self.me)
        when = self.at if at is None else datetime.fromtimestamp(float(at), UTC)
        return Incoming(sender, Address(PLATFORM, room, thread), when, what, is_direct(channel))

    def in_staff_room(self, channel: str) -> bool:
        return f"{self.me.team}/{channel}" in self.known.staff

    # ---- in which words

    def words(self, text: Any) -> str:
        """The text as people see it."""
        return plain.words(str(text or ""), *self._names())

    def _names(self) -> tuple[plain.Name, plain.Name]:
        """How people and channels of one text are called."""
        people, channels = self.known.people, self.known.channels
        asked: set[str] = set()

        def called(name: Callable[[str], str]) -> plain.Name:
            def named(thing: str) -> str:
                asked.add(thing)
                return name(thing) if len(asked) <= NAMES else thing

            return named

        return called(people.name), called(channels.name)

    def mentions(self, text: Any) -> tuple[tuple[str, Identity], ...]:
        """Whose accounts are named first, each by the words that people see; never the desk's own."""
        others = (found for found in _NAMED.finditer(str(text or "")) if found[1] != self.me.user)
        named = itertools.islice(others, NAMES)
        return tuple((self.words(found[0]), self._identity(found[1], None)) for found in named)

    def text(self, message: Json) -> str:
        """All that was said: typed, passed on from elsewhere, and linked to."""
        said = [self.own_words(message)]
        said += [self._passed_on(each) for each in _shared(message)]
        said += [files.link(each) for each in self._files(message) if files.is_link(each)]
        return marked.joined("\n", [each for each in said if each])

    def own_words(self, message: Json) -> str:
        """What was typed, as it was set, without the mention of the desk that it begins with."""
        text = self.words(_mention(self.me.user).sub("", str(message.get("text") or "")))
        typed = rich.words(message.get("blocks"), *self._names(), self.me.user)
        return typed if typed is not None and rich.tells(typed, text) else text

    def names_us(self, message: Json) -> bool:
        return f"<@{self.me.user}" in str(message.get("text") or "")

    def _passed_on(self, attachment: Json) -> str:
        author = attachment.get("author_name") or attachment.get("author_subname") or "…"
        return f"↪️ {author}:\n{self.words(attachment.get('text') or attachment.get('fallback'))}".strip()

    def carried(self, message: Json) -> tuple[Carried, ...]:
        return tuple(files.carried(each) for each in self._files(message) if not files.is_link(each))

    def _files(self, message: Json) -> list[Json]:
        found = [each for told in (message, *_shared(message)) for each in told.get("files") or ()]
        return [self.known.files.whole(each) for each in found]

    def quoted(self, message: Json, channel: str) -> Quoted:
        """What stands in the channel, be the app there or not."""
        text, files = self.text(message), self.carried(message)
        room = None if is_direct(channel) else str(Address(PLATFORM, f"{self.me.team}/{channel}"))
        where = self.where(message, channel)
        return Quoted(self.author(message), text, str(message["ts"]), files, room, where)

    def where(self, message: Json, channel: str) -> str | None:
        """The channel by its name, and the message by its address (docs.slack.dev: chat.getPermalink). None
        in direct messages, which nobody else can look at."""
        if is_direct(channel):
            return None
        name = self.known.channels.name(channel)
        called = () if name == channel else (f"#{name}",)
        return ": ".join((*called, *self._address(message, channel))) or None

    def _address(self, message: Json, channel: str) -> tuple[str, ...]:
        if not self.me.url:
            return ()
        thread = thread_of(message)
        within = f"?thread_ts={thread}&cid={channel}" if thread else ""
        return (f"{self.me.url}archives/{channel}/p{str(message['ts']).replace('.', '')}{within}",)


def is_direct(channel: str) -> bool:
    """Whether it is a conversation of one person with the desk alone."""
    return channel.startswith(DIRECT)


def thread_of(message: Json) -> str | None:
    """The thread in which a message stands; None for one that may have a thread under it."""
    thread = message.get("thread_ts")
    return str(thread) if thread and thread != message.get("ts") else None


def _shared(message: Json) -> list[Json]:
    """Messages that were passed on with this one, and not merely linked to."""
    return [each for each in message.get("attachments") or () if each.get("is_share")]


@cache
def _mention(user: str) -> re.Pattern[str]:
    return re.compile(rf"\A\s*<@{re.escape(user)}(?:\|[^<>]*)?>[\s,:]*")
