"""Which tests run on which database.

What the core promises is tested on both: a test of `THOROUGH` with one case runs twice, and of several cases
every other runs on SQLite and the rest on PostgreSQL. All other tests that open a desk take turns, three on
SQLite and one on PostgreSQL, where they take three times as long. DESKBRIDGE_TEST_DATABASE=both
runs every case on both, =postgresql every case there. Of what is slow for other reasons only tests marked
`both` run on PostgreSQL.
"""

import inspect
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from tests import databases, postgres

FOLDERS = ("core", "flows", "matrix", "web", "stateful", "contract")
"""Whose tests run on both, as do those that lie beside the folders."""
ALSO = ("telegram", "slack")
"""Whose tests run on PostgreSQL when that is asked for."""
HINT = "The tests run on SQLite alone: there is no PostgreSQL. On Debian and Ubuntu: apt install postgresql"
BOTH = "both"
SHARED = "shared"
THOROUGH = ("core", "contract")
TURNS = 4
"""Of what is above the core one test in so many runs on PostgreSQL."""
STANDS_ON = "stands_on"
"""What every test has, and by itself asks nothing."""


def chosen() -> str:
    """`sqlite`, `postgresql`, `both`, or `shared` between the two. Raises UsageError for another wish."""
    wish = databases.CHOSEN
    if wish not in ("", BOTH, *databases.KINDS):
        raise pytest.UsageError(f"DESKBRIDGE_TEST_DATABASE is sqlite, postgresql or both, not {wish!r}")
    if wish:
        return wish
    required = os.environ.get("DESKBRIDGE_TEST_REQUIRE_ALL") == "1"
    return SHARED if required or postgres.binaries() is not None else databases.KINDS[0]


def divide(metafunc: pytest.Metafunc) -> None:
    """Give the test the databases it runs on."""
    wish = chosen()
    if wish == databases.KINDS[0] or not opens_a_desk(metafunc):
        return
    if not _wanted(metafunc, FOLDERS if wish == SHARED else (*FOLDERS, *ALSO)):
        return
    kinds = (wish,) if wish in databases.KINDS else databases.KINDS
    metafunc.parametrize(STANDS_ON, kinds, indirect=True)


def alternate(items: list[pytest.Item]) -> None:
    """Keep each case for one of the databases, turn about, but for what is to run on both."""
    if chosen() != SHARED:
        return
    cases = Counter(_family(item) for item in items if _kind(item))
    seen: Counter[tuple[str, str]] = Counter()

    def is_kept(item: pytest.Item) -> bool:
        if not (kind := _kind(item)):
            return True
        folder = item.nodeid.partition("::")[0].rpartition("/")[0]
        thorough = folder.rpartition("/")[2] in THOROUGH or item.get_closest_marker(BOTH) is not None
        if thorough and cases[_family(item)] <= len(databases.KINDS):
            return True
        seen[folder, kind] += 1
        on_server = seen[folder, kind] % (2 if thorough else TURNS) == 0
        return on_server == (kind == databases.KINDS[1])

    items[:] = [item for item in items if is_kept(item)]


def _kind(item: pytest.Item) -> str:
    found: str = item.callspec.params.get(STANDS_ON, "") if hasattr(item, "callspec") else ""
    return found


def _family(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _wanted(metafunc: pytest.Metafunc, folders: Sequence[str]) -> bool:
    """Whether it is one of those that run on PostgreSQL."""
    folder = metafunc.module.__name__.split(".")[1]
    return (
        folder in folders
        or folder.startswith("test_")
        or any(mark.name == BOTH for mark in metafunc.definition.iter_markers())
    )


def opens_a_desk(metafunc: pytest.Metafunc) -> bool:
    """Whether the test or what it stands on asks where its database is."""
    if any(mark.name == "sqlite" for mark in metafunc.definition.iter_markers()):
        return False
    if "stand" in metafunc.fixturenames:
        return False  # it names both itself
    named = metafunc.definition._fixtureinfo.name2fixturedefs
    fixtures = [each[-1].func for name, each in named.items() if name != STANDS_ON]
    return any(_asks(each) for each in (metafunc.function, *fixtures))


def _asks(found: Any) -> bool:
    waiting, seen = [_unwrapped(found)], set()
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        for used in _used(each):
            if used is databases:
                return True
            waiting.append(used)
    return False


@cache
def _used(found: Any) -> tuple[Any, ...]:
    """What of the tests' own a function or a class names."""
    if inspect.isclass(found):
        return tuple(each for each in map(_unwrapped, vars(found).values()) if _ours(each))
    if not isinstance(found, FunctionType):
        return ()
    things = []
    names = list(_names(found.__code__))
    for name in names:
        thing = found.__globals__.get(name)
        if isinstance(thing, ModuleType) and thing.__name__.startswith("tests."):
            things.append(thing)
            things += [each for other in names if (each := getattr(thing, other, None)) is not None]
        elif thing is not None:
            things.append(thing)
    return tuple(each for each in map(_unwrapped, things) if each is databases or _ours(each))


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


def _unwrapped(found: Any) -> Any:
    if not callable(found):
        return found
    found = inspect.unwrap(found)
    given = getattr(found, "hypothesis", None)  # around the function that has been written
    return found if given is None else inspect.unwrap(given.inner_test)


def _ours(found: Any) -> bool:
    return isinstance(found, FunctionType | type) and found.__module__.startswith("tests.")
