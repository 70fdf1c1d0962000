"""The promises of one ticket, as a clerk would keep them who is told one event after the other.

The clerk knows three states: it is our turn (`run`), theirs (`stand`), or it is done (`over`)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Promised = Callable[[str, str, str], tuple[int, str]]
"""Priority, queue and target: how many minutes on which calendar."""

TURN: Mapping[str, str] = {
    "waited": "stand", "held": "stand", "resumed": "run", "resolved": "over", "confirmed": "over",
    "closed": "over", "reopened": "run", "merged": "over", "unmerged": "run",
}  # fmt: skip
"""Whose turn it is after an event; after any other it is as before, but see `said`."""


@dataclass(frozen=True)
class Told:
    """One event as the clerk hears of it."""

    minute: int
    kind: str
    message: int | None = None
    priority: str | None = None
    queue: str | None = None


@dataclass
class Line:
    """One promise: since when, when it was whose turn, and when it was over."""

    begun: int
    turns: list[tuple[int, str]]
    minutes: int = 0
    calendar: str = ""

    @property
    def turn(self) -> str:
        return self.turns[-1][1]

    def becomes(self, minute: int, turn: str) -> None:
        if turn != self.turn:
            self.turns.append((minute, turn))

    @property
    def over(self) -> int | None:
        return self.turns[-1][0] if self.turn == "over" else None

    @property
    def stands_since(self) -> int | None:
        return self.turns[-1][0] if self.turn == "stand" else None

    @property
    def standing(self) -> list[tuple[int, int]]:
        """The stretches in which it did not run, those that have ended."""
        ends = [minute for minute, _ in self.turns[1:]]
        stretches = zip(self.turns, ends, strict=False)
        return [(since, until) for (since, turn), until in stretches if turn != "run" and since < until]


@dataclass
class Clerk:
    """Keeps the three promises of a ticket."""

    promised: Promised
    turn: str = "run"
    asked: bool = True
    """Somebody waits for an answer."""
    answered: bool = False
    """There was a reply at some time."""
    priority: str = ""
    queue: str = ""
    lines: dict[str, Line] = field(default_factory=dict)

    def hears(self, told: Told) -> None:
        self.priority, self.queue = told.priority or self.priority, told.queue or self.queue
        if told.kind == "said":
            self.asked, self.turn = True, self.turn if self.is_held else "run"
        elif told.kind == "replied":
            self.asked, self.answered = False, True
        elif told.kind in ("reopened", "unmerged"):
            self.asked = True
        self.turn = TURN.get(told.kind, self.turn)
        self.held = told.kind == "held" or (self.held and self.turn == "stand" and told.kind != "waited")
        self.asked = self.asked and self.turn != "over"
        self.writes(told.minute)

    held: bool = False

    @property
    def is_held(self) -> bool:
        """On hold it stays, whatever the requester says."""
        return self.turn == "stand" and self.held

    def writes(self, minute: int) -> None:
        """Bring the lines up to date."""
        for target in ("first", "resolution"):
            self.lines.setdefault(target, Line(minute, [(minute, "run")]))
        first, following = self.lines["first"], self.lines.get("next")
        if first.over is None:
            first.becomes(minute, "over" if self.answered or self.turn == "over" else self.turn)
        if first.over is not None and self.asked and (following is None or following.over is not None):
            following = self.lines["next"] = Line(minute, [(minute, "run")])
        if following is not None and following.over is None:
            following.becomes(minute, self.turn if self.asked else "over")
        self.lines["resolution"].becomes(minute, self.turn)
        for target, line in self.lines.items():
            if line.over is None or not line.calendar:
                line.minutes, line.calendar = self.promised(self.priority, self.queue, target)


def kept(promised: Promised, history: Sequence[Told]) -> Clerk:
    """What the clerk has written after a history. Who takes a reply back has never sent it, nor waited for
    its answer; the clerk begins anew then."""
    clerk = Clerk(promised)
    for place, told in enumerate(history):
        if told.kind == "withdrawn":
            undone = {each.message for each in history[: place + 1] if each.kind == "withdrawn"}
            clerk = Clerk(promised)
            for earlier in history[:place]:
                if earlier.kind == "withdrawn":
                    continue
                if earlier.kind in ("replied", "waited") and earlier.message in undone:
                    continue
                clerk.hears(earlier)
            clerk.writes(told.minute)
        else:
            clerk.hears(told)
    return clerk
