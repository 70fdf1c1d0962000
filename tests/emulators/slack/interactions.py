"""What people do with the app's buttons, menus, forms, shortcuts and commands, and what they are told."""

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.slack.delivery import Delivery, Kind
from tests.emulators.slack.messages import Message
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.responses import ResponseAddress, respond
from tests.emulators.slack.views import View

if TYPE_CHECKING:
    from tests.emulators.slack.channels import Channel
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack


@dataclass(frozen=True)
class Trouble:
    """What a person was shown instead of an answer: `operation_timeout` (nobody acknowledged in time),
    `dispatch_failed` (nobody was there, or refused), `invalid_command`, `invalid_response`."""

    word: str
    at: float
    what: str


@dataclass(eq=False)
class Trigger:
    """Handling user interaction: a trigger_id opens one modal, within three seconds."""

    id: str
    user: "Person"
    born: float
    view: View | None = None
    used: bool = False


@dataclass(eq=False)
class Interaction:
    """One act of a person. `delivery` tells whether and how the app took it, `said` what an acknowledgement
    put before the person."""

    user: "Person"
    kind: str
    delivery: Delivery
    trigger: Trigger | None = None
    response: ResponseAddress | None = None
    said: Message | None = None
    trouble: Trouble | None = None

    async def done(self) -> "Interaction":
        """When the app has acknowledged it, or the time for that is over."""
        await self.delivery.finished.wait()
        await self.user.world.until(lambda: self in self.user.acted, 5, "the interaction's end")
        return self

    @property
    def taken(self) -> bool:
        return self.delivery.state == "taken"

    def __repr__(self) -> str:
        return f"<{self.kind} by {self.user!r} {self.delivery.state} {self.trouble or ''}>"


@dataclass
class Submission:
    """What came of submitting a modal. `errors` by block: the app's, or Slack's own for what was left out
    (then nothing was sent); `view` is what stands there now, if anything."""

    errors: dict[str, str] = field(default_factory=dict)
    interaction: Interaction | None = field(default=None, repr=False)
    view: View | None = field(default=None, repr=False)

    @property
    def accepted(self) -> bool:
        return self.interaction is not None and self.interaction.taken and not self.errors


class Interactions:
    """Makes triggers and response addresses, and brings acts to the app."""

    def __init__(self, world: "Slack") -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self.triggers: dict[str, Trigger] = {}
        self.addresses: dict[str, ResponseAddress] = {}

    def trigger(self, user: "Person", view: View | None = None) -> Trigger:
        number = next(self._numbers)
        made = Trigger(
            f"{number}.{10**12 + number}.{number * 2654435761 % 2**64:016x}", user, time.monotonic(), view
        )
        self.triggers[made.id] = made
        return made

    def exchange(self, id: str) -> Trigger:
        """views.open, views.push: a trigger is exchanged once, in time."""
        found = self.triggers.get(id)
        if found is None:
            raise Refused("invalid_trigger_id")
        if found.used:
            raise Refused("exchanged_trigger_id")
        if time.monotonic() - found.born > self._world.patience:
            raise Refused("expired_trigger_id")
        found.used = True
        return found

    def address(
        self, channel: "Channel", user: "Person", message: Message | None, kind: str
    ) -> ResponseAddress:
        number = next(self._numbers)
        path = f"/{kind}/{self._world.team}/{10**12 + number}/{number * 40503 % 2**32:08x}{number:08x}"
        made = ResponseAddress(path, channel, user, self._world.times.now(), message)
        self.addresses[path] = made
        return made

    def person(self, user: "Person") -> dict[str, str]:
        return {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team}

    def common(self, kind: str, user: "Person") -> dict[str, Any]:
        world = self._world
        domain = world.domain if user.team == world.team else f"team-{user.team.lower()}"
        told: dict[str, Any] = {"type": kind, "team": {"id": user.team, "domain": domain}}
        told |= {"user": self.person(user), "api_app_id": world.app_id, "token": world.verification_token}
        return told | {"enterprise": None, "is_enterprise_install": False}

    def send(
        self,
        user: "Person",
        kind: str,
        payload: dict[str, Any],
        *,
        envelope: Kind = "interactive",
        trigger: Trigger | None = None,
        response: ResponseAddress | None = None,
    ) -> Interaction:
        delivery = self._world.deliveries.send(envelope, payload)
        act = Interaction(user, kind, delivery, trigger, response)
        self._world.run(self._end(act))
        return act

    async def _end(self, act: Interaction) -> None:
        """The acknowledgement's message to whom it concerns, or what Slack itself says when none came."""
        await act.delivery.finished.wait()
        if not act.taken:
            late = act.delivery.reason in ("timeout", "http_timeout")
            act.trouble = act.user.shown("operation_timeout" if late else "dispatch_failed", act.kind)
        elif act.kind == "command" and isinstance(act.delivery.answer, dict) and act.response is not None:
            try:
                act.said = respond(self._world, act.response, act.delivery.answer)
            except Refused as refused:
                act.trouble = act.user.shown("invalid_response", refused.error)
        act.user.acted.append(act)
        self._world.stir()
