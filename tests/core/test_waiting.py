"""Who goes first to the only writer: what somebody waits for, but never so that the others have no turn."""

import asyncio
import contextvars
from collections.abc import Iterator

import pytest

from core.database.transaction import Transaction
from core.database.waiting import PATIENCE, TOGETHER, Job, Waiting


async def nothing(tx: Transaction) -> None: ...


class Line:
    """Jobs with names, and a clock that is moved by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.now = 0.0
        self._loop = loop
        self._waiting = Waiting(lambda: self.now)
        self._jobs: dict[str, Job] = {}

    def come(self, *names: str) -> None:
        """Those whose names begin with an exclamation mark are urgent."""
        for name in names:
            job = Job(nothing, contextvars.Context(), self._loop.create_future(), name.startswith("!"))
            self._jobs[name] = job
            self._waiting.put(job)

    def together(self) -> list[str]:
        taken = self._waiting.together()
        return [name for each in taken for name, job in self._jobs.items() if job is each]

    def give_back(self, *names: str) -> None:
        self._waiting.give_back([self._jobs[name] for name in names])

    @property
    def pressed(self) -> bool:
        return self._waiting.pressed()

    def close(self) -> None:
        self._waiting.close()


@pytest.fixture
def line() -> Iterator[Line]:
    loop = asyncio.new_event_loop()
    yield Line(loop)
    loop.close()


def test_the_urgent_ones_go_first_and_each_kind_keeps_its_order(line: Line) -> None:
    line.come("a", "!b", "c", "!d")
    assert [line.together(), line.together()] == [["!b", "!d"], ["a", "c"]]


def test_an_urgent_one_that_comes_presses_the_others_that_are_under_way(line: Line) -> None:
    line.come("a", "b", "c")
    assert line.together() == ["a", "b", "c"]
    assert not line.pressed
    line.come("!d", "e")
    assert line.pressed
    line.give_back("b", "c")
    assert [line.together(), line.together()] == [["!d"], ["b", "c", "e"]]


def test_urgent_ones_are_pressed_by_nobody(line: Line) -> None:
    line.come("!a", "b")
    assert line.together() == ["!a"]
    line.come("!c")
    assert not line.pressed


def test_while_urgent_ones_keep_coming_the_others_have_a_turn_once_their_patience_is_over(line: Line) -> None:
    line.come("a", "b", "!1")
    assert line.together() == ["!1"]
    line.now += PATIENCE / 2
    line.come("!2")
    assert line.together() == ["!2"]
    line.now += PATIENCE / 2
    line.come("!3")
    assert line.together() == ["a", "b"]
    assert line.pressed
    line.give_back("b")
    assert line.together() == ["!3"]
    line.come("!4")
    assert line.together() == ["!4"]
    line.now += PATIENCE
    line.come("!5")
    assert line.together() == ["b"]


def test_so_many_share_a_commit_and_no_more(line: Line) -> None:
    line.come(*(str(number) for number in range(TOGETHER + 1)))
    assert [len(line.together()), len(line.together())] == [TOGETHER, 1]


def test_what_waits_when_all_is_over_is_still_done(line: Line) -> None:
    line.come("a", "!b")
    line.close()
    assert [line.together(), line.together(), line.together()] == [["!b"], ["a"], []]
