"""What the writer owes a database that fails in a way nobody has thought of."""

from collections.abc import Callable, Sequence

import pytest

from core.database.transaction import Transaction
from core.database.waiting import Job
from core.database.writer import Writer
from core.kernel.errors import TemporaryError


class Odd:
    """A database that fails once in a way of its own."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def commit(self, jobs: Sequence[Job], pressed: Callable[[], bool], *, ailing: bool) -> Sequence[Job]:
        self.told.append("commit")
        if len(self.told) == 1:
            raise ArithmeticError("nobody has thought of that")
        return ()

    def roll_back(self) -> None:
        self.told.append("roll back")

    def close(self) -> None:
        self.told.append("close")


async def nothing(tx: Transaction) -> None: ...


async def test_whatever_went_wrong_the_next_commit_begins_with_nothing_of_it() -> None:
    store = Odd()
    writer = Writer(lambda: store, lambda bells: None)
    with pytest.raises(TemporaryError):
        await writer.run(nothing)
    await writer.run(nothing)
    await writer.close()
    assert store.told == ["commit", "roll back", "commit", "close"]
