"""Escalation minute by minute, written apart from the code: state in plain words, time by counting.

Minutes are counted from a Monday's midnight in UTC. A calendar is a list of truths, one for each minute."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

TURN = ("new", "open")
PROMISES = ("first_response", "next_response", "resolution")


@dataclass(frozen=True)
class Rule:
    """One step: `after` minutes of `of`, below zero: before a promise falls due; `times` `repeat` apart."""

    after: int
    of: str
    repeat: int
    times: int


@dataclass
class Counted:
    """A promise: the working minutes it has run, and whether it runs."""

    since: int
    ran: int = 0
    running: bool = True
    met: bool = False


@dataclass
class Desk:
    """One ticket and its chain. `lengths` and `rules` are by priority; `open` by the name of a calendar."""

    open: dict[str, Sequence[bool]]
    lengths: dict[str, dict[str, int]]
    rules: dict[str, tuple[str, Sequence[Rule]]]
    promised_on: str
    counted_on: str
    priority: str
    status: str = "new"
    owner: bool = False
    unanswered: int | None = 0
    unclaimed: int | None = 0
    progress: int = 0
    replied: bool = False
    started: int | None = None
    quiet: int | None = None
    clocks: dict[str, Counted] = field(default_factory=dict)
    sent: dict[Any, tuple[int, int]] = field(default_factory=dict)
    pings: list[tuple[int, str, int, int]] = field(default_factory=list)

    hours: list[int] = field(default_factory=list)
    """How many minutes of the steps' calendar were worked before each minute; then of the promises'."""
    promised: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hours = [0, *accumulate(self.open[self.counted_on])]
        self.promised = [0, *accumulate(self.open[self.promised_on])]
        self.clocks = {"first_response": Counted(0), "resolution": Counted(0)}

    # ---- what happens

    def happens(self, kind: str, now: int, told: Any) -> None:
        getattr(self, f"_{kind}", self._nothing)(now, told)
        if kind not in ("said", "promised", "snoozed"):
            self.progress = now
        if kind in ("prioritised", "reopened"):
            self.started, self.quiet = now, None
        if not self.owner and self.status == "open":
            self.status = "new"
        active = self.status not in ("resolved", "closed")
        if not active:
            self.unanswered = None
        if self.owner or not active:
            self.unclaimed = None
        elif self.unclaimed is None:
            self.unclaimed = now
        self._turn_clocks(now)

    def _nothing(self, now: int, told: Any) -> None:
        """It changes nothing but when there was progress last."""

    def _claimed(self, now: int, told: Any) -> None:
        self.owner = True
        self.status = {"new": "open"}.get(self.status, self.status)

    def _released(self, now: int, told: Any) -> None:
        self.owner = False

    def _replied(self, now: int, told: Any) -> None:
        self.replied, self.unanswered = True, None

    def _said(self, now: int, told: Any) -> None:
        if self.unanswered is None:
            self.unanswered = now
        self.status = {"waiting": "open", "resolved": "open"}.get(self.status, self.status)

    def _waited(self, now: int, told: Any) -> None:
        self.status = "waiting"

    def _held(self, now: int, told: Any) -> None:
        self.status = "on_hold"

    def _resumed(self, now: int, told: Any) -> None:
        self.status = "open"

    def _resolved(self, now: int, told: Any) -> None:
        self.status = "resolved"

    def _reopened(self, now: int, told: Any) -> None:
        self.status, self.unanswered = "open", now

    def _prioritised(self, now: int, told: Any) -> None:
        self.priority = told

    def _promised(self, now: int, told: Any) -> None:
        self.quiet = told

    def _snoozed(self, now: int, told: Any) -> None:
        self.quiet = told

    def _turn_clocks(self, now: int) -> None:
        done = self.status == "resolved"
        first, resolution = self.clocks["first_response"], self.clocks["resolution"]
        first.met = first.met or self.replied or done
        following = self.clocks.get("next_response")
        if first.met and self.unanswered is not None and (following is None or following.met):
            self.clocks["next_response"] = following = Counted(now)
        if following is not None and (self.unanswered is None or done):
            following.met = True
        resolution.met = done
        for clock in self.clocks.values():
            clock.running = not clock.met and self.status in TURN

    # ---- time

    def minute(self, now: int) -> None:
        """It is this minute now: what is due is asked."""
        name, rules = self.rules[self.priority]
        if self.quiet is not None and self.quiet <= now:
            self.quiet = None
            waits = [rule for rule in rules if rule.of not in PROMISES and self.status in TURN]
            told = [rule.after for rule in waits if self._since(rule.of) is not None]
            self.started = self._ago(now, min(told, default=0))
        for place, rule in enumerate(rules):
            since = self._since(rule.of)
            if since is None or self.quiet is not None or self.status not in TURN:
                continue
            base = since if self.started is None else max(since, self.started)
            times, last = self.sent.get((name, place, base), (0, 0))
            if times < rule.times and self._is_due(rule, times, base, last, now):
                self.pings.append((now, name, place, times))
                self.sent[name, place, base] = (times + 1, now)

    def passes(self, now: int) -> None:
        """This minute goes by."""
        if self.open[self.promised_on][now]:
            for clock in self.clocks.values():
                clock.ran += clock.running

    def _since(self, of: str) -> int | None:
        match of:
            case "unclaimed":
                return self.unclaimed
            case "unanswered":
                return self.unanswered
            case "unresolved":
                return 0
            case "no_progress":
                return self.progress if self.owner else None
        clock = self.clocks.get(of)
        return clock.since if clock is not None and clock.running else None

    def _is_due(self, rule: Rule, times: int, base: int, last: int, now: int) -> bool:
        """Whether it has waited for long enough, since it began and since it asked last."""
        needed = rule.after + rule.repeat * times
        if rule.of in PROMISES:
            length = self.lengths[self.priority][rule.of]
            apart = self._counted(self.promised, last, now)
            in_time = now >= base and self.clocks[rule.of].ran >= length + needed
        else:
            apart = self._counted(self.hours, last, now)
            in_time = self._counted(self.hours, base, now) >= needed
        return in_time and (times == 0 or apart >= rule.repeat)

    def _counted(self, hours: list[int], since: int, now: int) -> int:
        return hours[now] - hours[since]

    def _ago(self, now: int, length: int) -> int:
        since = now
        while since > 0 and self._counted(self.hours, since, now) < length:
            since -= 1
        return since
