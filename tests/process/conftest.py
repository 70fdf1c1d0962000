"""Desks in folders of their own; whatever a test does, no process is left behind."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.process import desk as desks
from tests.process.desk import Desk
from tests.process.person import Person


class Yard:
    """Makes desks and people, and cleans up after them."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack

    def desk(self, name: str = "desk", config: str = desks.DEMO, port: int | None = None) -> Desk:
        made = Desk(self.folder / name, config, port=port)
        self._stack.push_async_callback(made.close)
        return made

    def person(self, desk: Desk, account: str) -> Person:
        made = Person(desk, account)
        self._stack.push_async_callback(made.leave)
        return made

    async def signed_in(self, desk: Desk, *accounts: str) -> list[Person]:
        """People who came in through printed links, or through those of `deskbridge sign-in`."""
        people = [self.person(desk, account) for account in accounts]
        links = await asyncio.gather(*(self._link(desk, account) for account in accounts))
        for person, link in zip(people, links, strict=True):
            await person.sign_in(link)
        return people

    async def _link(self, desk: Desk, account: str) -> str:
        if printed := desk.link(account):
            return printed
        told = await desk.ask("sign-in", f"web:{account}")
        assert told.returncode == 0, told.stderr
        return told.stdout.strip().rpartition("#")[2]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk that was set up and left in order, to be copied."""
    desk = Desk(tmp_path_factory.mktemp("model"))
    assert desk.command("migrate").returncode == 0
    return desk


@pytest.fixture
def desk(model: Desk, tmp_path: Path) -> Desk:
    """A desk that was set up and does not run."""
    made = Desk(tmp_path / "desk")
    for file in model.folder.glob("desk.db*"):
        shutil.copy(file, made.folder)
    return made


@pytest.fixture
async def yard(tmp_path: Path) -> AsyncIterator[Yard]:
    async with AsyncExitStack() as stack:
        yield Yard(tmp_path, stack)
