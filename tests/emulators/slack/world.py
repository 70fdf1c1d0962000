"""Slack as a test sees it: one workspace, its people and channels, one app, and the API the app talks to."""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from types import TracebackType
from typing import Any, Self

from tests.emulators.slack import about, filing, posting, reading, viewing  # noqa: F401 they enter their methods
from tests.emulators.slack.calls import Call
from tests.emulators.slack.channels import Channel, Kind
from tests.emulators.slack.delivery import Deliveries, Delivery, Outcome
from tests.emulators.slack.events import SCOPES, Tell
from tests.emulators.slack.faults import Fault, Faults
from tests.emulators.slack.faults import Kind as Trouble
from tests.emulators.slack.files import Files
from tests.emulators.slack.gate import ALL_SCOPES, APP_SCOPES
from tests.emulators.slack.hooks import Hooks
from tests.emulators.slack.interactions import Interactions
from tests.emulators.slack.names import Names
from tests.emulators.slack.people import User
from tests.emulators.slack.person import Person
from tests.emulators.slack.rates import Rates
from tests.emulators.slack.server import Server
from tests.emulators.slack.sockets import Sockets
from tests.emulators.slack.viewing import Viewing
from tests.emulators.slack.waiting import Waiting
from tests.emulators.telegram.times import Clock, Times


class Slack(Waiting):
    """`async with Slack() as slack:` serves the Web API at `slack.api_url` for `slack.bot_token` and sockets
    for `slack.app_token`; or, after `use_http`, sends requests signed with `slack.signing_secret`.

    `clock` and `time_scale`: see `times.Times`. `patience` is how many real seconds the app has to
    acknowledge (and a trigger lives): three of Slack's, unless said otherwise. `rates` switches rate limits
    on. `scopes` and `subscribed` are what the app's manifest asks for, `commands` its slash commands (None:
    any). `edit_window` is after how many seconds a message can no longer be edited.
    """

    def __init__(
        self,
        *,
        name: str = "Acme",
        team: str = "T0ACME",
        bot_name: str = "Desk",
        clock: Clock | None = None,
        time_scale: float = 1.0,
        patience: float | None = None,
        rates: Rates | None = None,
        scopes: Iterable[str] = ALL_SCOPES,
        subscribed: Iterable[str] = tuple(SCOPES),
        commands: Iterable[str] | None = None,
        edit_window: float | None = None,
        largest_file: int = 2**26,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.name, self.team, self.domain = name, team, name.lower()
        self.home = f"https://{self.domain}.slack.com"
        self.app_id, self.bot_id = "A0DESK", "B0DESK"
        self.bot_token = "xoxb-1000000000001-emulator-0123456789abcdef"
        self.app_token = "xapp-1-A0DESK-1000000000002-0123456789abcdef"
        self.signing_secret = "0123456789abcdef0123456789abcdef"
        self.config_token = "xoxe.xoxp-1-emulator-0123456789abcdef"
        self.manifest: dict[str, Any] = {}
        self.verification_token = "emulatorVerificationToken"
        self.times = Times(clock, time_scale)
        self.patience = self.times.real(3) if patience is None else patience
        self.rates = rates
        self.scopes, self.app_scopes = set(scopes), set(APP_SCOPES)
        self.subscribed = set(subscribed)
        self.commands = None if commands is None else set(commands)
        self.edit_window = edit_window
        self.largest_file = largest_file
        self.messages_tab = self.home_tab = True
        self.revoked = self.uninstalled = False
        self.names, self.files, self.faults = Names(), Files(), Faults(seed)
        self.deliveries = Deliveries(self.times, self.stir)
        self.sockets = Sockets(self.times, lambda: self.patience, self.app_id, seed)
        self.sockets.stir = self.stir
        self.hooks = Hooks(lambda: self.patience, self.signing_secret, self.verification_token)
        self.deliveries.route = self._route
        self.tell, self.interactions, self.viewing = Tell(self), Interactions(self), Viewing(self)
        self.server = Server(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.bot = User(self, "U0DESK", bot_name, is_bot=True)
        self.users[self.bot.id] = self.bot

    # Serving

    async def __aenter__(self) -> Self:
        await self.server.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.deliveries.close()
        await self.hooks.close()
        await self.server.close()

    @property
    def url(self) -> str:
        """Where it answers: `http://127.0.0.1:port`."""
        return self.server.url

    @property
    def api_url(self) -> str:
        """slack_sdk's base_url."""
        return f"{self.url}/api/"

    async def use_http(self, events: str, interactivity: str = "", commands: str = "") -> None:
        """HTTP mode: the app's request addresses, the first of which is verified as the settings do."""
        await self.hooks.verify(events)
        urls = {"events_api": events, "interactive": interactivity or events}
        self.hooks.urls = urls | {"slash_commands": commands or events}  # type: ignore[assignment]

    def use_sockets(self) -> None:
        self.hooks.urls = {}

    async def _route(self, delivery: Delivery, attempt: int, reason: str) -> Outcome:
        if self.hooks.urls:
            return await self.hooks.bring(delivery, attempt, reason)
        return await self.sockets.bring(delivery, attempt, reason)

    async def go_down(self) -> None:
        """The API is away and the sockets are gone: connections are refused until `come_back`, on the same
        port."""
        await self.server.close()

    async def come_back(self) -> None:
        await self.server.open()

    # The workspace

    def user(self, real_name: str, **more: Any) -> User:
        """Somebody. `locale=`, `tz=`, `id=`, `name=` (the handle), `team=` (another workspace's: a
        stranger, who may have the `id` of somebody here)."""
        user = User(self, more.pop("id", "") or self.names.fresh("U"), real_name, **more)
        self.users.setdefault(user.id, user)
        return user

    def channel(
        self,
        name: str,
        *,
        members: Iterable[User] = (),
        kind: Kind = "channel",
        bot: bool = True,
        shared: bool = False,
    ) -> Channel:
        """A channel with these people, and the bot unless `bot=False`; `kind="group"` is a private one."""
        made = Channel(self, self.names.fresh("C"), name, kind, shared=shared)
        made.members = {user.id: user for user in [*members, *([self.bot] if bot else [])]}
        made.creator = next(iter(members), None)
        self.channels[made.id] = made
        return made

    def direct(self, *people: Person) -> Channel:
        """Direct messages of the bot with one person or several: always the same conversation."""
        wanted = {*people, self.bot}
        for known in self.channels.values():
            if known.kind in ("im", "mpim") and set(known.members.values()) == wanted:
                return known
        several = len(people) > 1
        made = Channel(
            self, self.names.fresh("C" if several else "D"), people[0].name, "mpim" if several else "im"
        )
        made.members = {user.id: user for user in [*people, self.bot]}
        self.channels[made.id] = made
        return made

    def callable_names(self) -> dict[str, str]:
        """What typing `@Name` or `#name` turns into."""
        people = {f"@{user.real_name}": user.mention for user in self.users.values()}
        return people | {f"#{one.name}": one.link for one in self.channels.values() if one.kind == "channel"}

    def bot_profile(self) -> dict[str, Any]:
        told = {"id": self.bot_id, "app_id": self.app_id, "name": self.bot.real_name, "deleted": False}
        return told | {"updated": 0, "team_id": self.team, "icons": {}}

    def knows_emoji(self, name: str) -> bool:
        return name.replace("_", "").replace("-", "").replace("+", "").isalnum()

    async def uninstall(self) -> None:
        """Somebody removes the app from the workspace."""
        self.tell.uninstalled()
        self.uninstalled = True

    # Trouble

    def fail(self, method: str, kind: Trouble, times: int = 1, **more: Any) -> Fault:
        """The next calls of `method` (stars allowed) go wrong. See `faults.Faults.add`."""
        return self.faults.add(method, kind, times, **more)

    def flood(self, method: str, seconds: float, channel: Channel | None = None) -> None:
        """From now until then every call of the method (into this channel) earns 429 with the rest of the
        wait."""
        self.server.floods[method, channel.id if channel else ""] = self.times.now() + seconds

    def heal(self) -> None:
        self.faults.clear()
        self.server.floods.clear()

    # The record, and waiting

    @property
    def calls(self) -> list[Call]:
        """Every call that reached the server, in order."""
        return self.server.calls

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def told(self, kind: str) -> list[Delivery]:
        """Everything told to the app of this kind: an event's type or subtype, `slash_commands`, or an
        interaction's type."""
        return [
            one
            for one in self.deliveries.told
            if kind in (one.kind, one.payload.get("type"), one.event.get("type"), one.event.get("subtype"))
        ]

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def connected(self, sockets: int = 1, seconds: float = 5.0) -> None:
        """Until the app has so many sockets open."""
        await self.until(lambda: len(self.sockets.open) >= sockets, seconds, f"{sockets} open sockets")

    async def settled(self, seconds: float = 5.0) -> None:
        """Until the app has taken everything it was told (or Slack has given up)."""
        await self.until(lambda: not self.deliveries.waiting, seconds, "the app to take what it is told")

    async def idle(self, seconds: float = 0.2, at_most: float = 10.0) -> None:
        """Until the app took everything and asked nothing for so many real seconds."""

        def still() -> bool:
            quiet = all(call.ended and time.monotonic() - call.ended >= seconds for call in self.calls[-50:])
            return quiet and not self.deliveries.waiting

        await asyncio.sleep(seconds)
        await self.until(still, at_most, "the app to come to rest")
