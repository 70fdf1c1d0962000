"""Desks in folders of their own; whatever a test does, no process is left behind."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.process import desk as desks
from tests.process.desk import Desk
from tests.process.person import Person

People = Callable[..., "object"]


class Yard:
    """Makes desks and people, and cleans up after them."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def desk(self, name: str = "desk", config: str = desks.QUICK, **more: int) -> Desk:
        made = Desk(self.folder / name, config, **more)
        self._stack.push_async_callback(made.close)
        return made

    def person(self, desk: Desk, account: str) -> Person:
        made = Person(desk, account)
        self._stack.push_async_callback(made.leave)
        return made

    async def signed_in(self, desk: Desk, *accounts: str) -> list[Person]:
        """People who came in through `deskbridge sign-in`, while the desk runs."""
        people = [self.person(desk, account) for account in accounts]
        for each in people:
            told = await desk.ask("sign-in", f"web:{each.account}")
            assert told.returncode == 0, told.stderr
            await each.sign_in(told.stdout.strip().rpartition("#")[2])
        return people


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with AsyncExitStack() as stack:
        yield Yard(tmp_path, stack)
