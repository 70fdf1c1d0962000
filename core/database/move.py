"""From a file to a server: every row with its id, in stretches, counted and hashed in the end.

The desk stands still meanwhile. What was interrupted goes on where it was; until it is whole, no desk starts
on the server.
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import asyncpg

from core.database import file, migrate, postgresql, server
from core.database.server import MOVING, Server
from core.kernel import text as texts
from core.kernel.errors import SetupError

STAYS = frozenset({"alembic_version", "schema_floor", "leases", "replicas", "file_parts"})
"""Tables that tell of a database itself, or, of a file, nothing."""
PIECE = 256 * 1024
"""Bytes of a file that are written at once."""
STRETCH = 2000
"""Rows that are copied in one transaction."""
_COLUMNS = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = $1
"""
_KEYS = """
SELECT conrelid::regclass::text AS of, confrelid::regclass::text AS needs FROM pg_constraint
WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
"""
_SEQUENCES = """
SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence
FROM information_schema.columns WHERE table_schema = current_schema() AND column_default LIKE 'nextval(%'
"""
_PUT = "INSERT INTO file_parts (file_id, place, bytes, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_LARGEST = 1 << 256


@dataclass(frozen=True, slots=True)
class Moved:
    """A table that is whole on the other side."""

    name: str
    rows: int
    digest: str
    """Of all its rows, in whichever order: equal on both sides."""


def move(source: Path, target: Server, tell: Callable[[Moved], None], files: Path | None = None) -> None:
    """Copy the desk of a file, which is held meanwhile, to the empty database of a server; and the bytes of
    what people sent, which lie in the folder `files`.

    Raises SetupError in one plain line when that cannot be, or when the two differ afterwards."""
    if not source.exists():
        raise SetupError(f"There is no file {source}. Check --from.")
    lock = file.prepare(source)
    try:
        server.prepare(target, moving=True)
        server.settle(lambda: _move(source, f"from {source.absolute()}", target, tell, files))
    finally:
        lock.release()


async def _move(
    path: Path, name: str, target: Server, tell: Callable[[Moved], None], files: Path | None
) -> None:
    raw = await postgresql.connected(target, patient=True)
    try:
        await raw.execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")
        with closing(migrate.look(path)) as source:
            tables = await _in_order(raw, source)
            await _begin(raw, name, target, tables)
            for table in tables:
                await _copy(raw, source, table)
            for table in tables:
                tell(await _compared(raw, source, table))
            if files is not None:
                tell(await _copy_files(raw, source, files))
            await _finish(raw, source)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise SetupError(
            f"The move to {target} was interrupted ({postgresql.told(error)})."
            " Run it again: it goes on from there."
        ) from None
    finally:
        raw.terminate()


async def _in_order(raw: Any, source: sqlite3.Connection) -> list[str]:
    """The tables, each after those that its rows point into."""
    found = source.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    needs: dict[str, set[str]] = {
        name: set() for (name,) in found if not name.startswith("sqlite_") and name not in STAYS
    }
    for row in await raw.fetch(_KEYS):
        if row["needs"] != row["of"]:
            needs[row["of"]].add(row["needs"])
    return list(TopologicalSorter(needs).static_order())


async def _begin(raw: Any, move: str, target: Server, tables: Sequence[str]) -> None:
    """Note that a move is under way. Raises SetupError where something is there that did not come by it."""
    if await raw.fetchval("SELECT to_regclass($1)", MOVING) is None:
        for name in tables:
            if await raw.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{name}")'):  # noqa: S608 - a table's name
                raise SetupError(
                    f"The database {target} is in use: {name} is not empty. Give --to an empty one."
                )
        async with raw.transaction():
            await raw.execute(f"CREATE TABLE {MOVING} (name text PRIMARY KEY, last bigint NOT NULL)")
            await raw.execute(f"INSERT INTO {MOVING} VALUES ($1, 0)", move)  # noqa: S608
    elif not await raw.fetchval(f"SELECT true FROM {MOVING} WHERE name = $1", move):  # noqa: S608
        raise SetupError(
            f"The database {target} is being moved into from another file. Give --from that one."
        )


async def _copy(raw: Any, source: sqlite3.Connection, name: str) -> None:
    columns, convert = await _columns(raw, name)
    last = await raw.fetchval(f"SELECT last FROM {MOVING} WHERE name = $1", name) or 0  # noqa: S608
    while rows := _stretch(source, name, columns, last):
        last = rows[-1][0]
        async with raw.transaction():
            await raw.copy_records_to_table(name, columns=columns, records=[convert(row[1:]) for row in rows])
            await raw.execute(
                f"INSERT INTO {MOVING} VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET last = $2",  # noqa: S608
                name,
                last,
            )


def _stretch(source: sqlite3.Connection, name: str, columns: Sequence[str], after: int) -> list[Any]:
    listed = ", ".join(f'"{each}"' for each in columns)
    rows = f'SELECT rowid, {listed} FROM "{name}" WHERE rowid > ? ORDER BY rowid LIMIT {STRETCH}'  # noqa: S608
    return source.execute(rows, (after,)).fetchall()


async def _columns(raw: Any, name: str) -> tuple[list[str], Callable[[Iterable[Any]], tuple[Any, ...]]]:
    """The columns, and what makes SQLite's values PostgreSQL's."""
    found = await raw.fetch(_COLUMNS, name)
    kinds = [row["data_type"] for row in found]

    def convert(values: Iterable[Any]) -> tuple[Any, ...]:
        return tuple(_value(value, kind) for value, kind in zip(values, kinds, strict=True))

    return [row["column_name"] for row in found], convert


def _value(value: Any, kind: str) -> Any:
    if isinstance(value, str):
        return texts.storable(value)
    return bool(value) if kind == "boolean" and value is not None else value


async def _copy_files(raw: Any, source: sqlite3.Connection, folder: Path) -> Moved:
    """The bytes of every file there is, whole or not at all; those that are lost already stay lost. Raises
    SetupError for one that is not what it was."""
    count, total = 0, 0
    for file_id, sha256 in source.execute("SELECT id, sha256 FROM files ORDER BY id").fetchall():
        path = folder / file_id[:2] / file_id
        if not path.is_file():
            continue
        digest = await _copy_file(raw, file_id, path)
        if digest != sha256:
            raise SetupError(f"The file {path} is not what it was when it came. Bring it back from a backup.")
        count, total = count + 1, (total + int(digest, 16)) % _LARGEST
    return Moved("bytes of files", count, f"{total:064x}")


async def _copy_file(raw: Any, file_id: str, path: Path) -> str:
    """The hash of what was copied."""
    digest, place, now = hashlib.sha256(), 0, int(time.time() * 1_000_000)
    async with raw.transaction():
        with path.open("rb") as lies:
            while piece := lies.read(PIECE):
                digest.update(piece)
                await raw.execute(_PUT, file_id, place, piece, now)
                place += 1
    return digest.hexdigest()


async def _compared(raw: Any, source: sqlite3.Connection, name: str) -> Moved:
    """Raises SetupError when the rows here are not the rows there."""
    columns, convert = await _columns(raw, name)
    here, there = _Digest(), _Digest()
    for row in _all(source, name, columns):
        here.add(convert(row))
    listed = ", ".join(f'"{each}"' for each in columns)
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        async for row in raw.cursor(f'SELECT {listed} FROM "{name}"', prefetch=STRETCH):  # noqa: S608
            there.add(tuple(row))
    if (here.rows, here.sum) != (there.rows, there.sum):
        raise SetupError(
            f"The move is not right: {name} has {here.rows} rows in the file and {there.rows} on the server,"
            " or they differ. Drop the server's database, make it anew and move again; the file is unchanged."
        )
    return Moved(name, here.rows, f"{here.sum:064x}")


def _all(source: sqlite3.Connection, name: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
    last = 0
    while rows := _stretch(source, name, columns, last):
        last = rows[-1][0]
        yield from (row[1:] for row in rows)


class _Digest:
    """Of rows in any order: the sum of what each hashes to."""

    def __init__(self) -> None:
        self.rows = 0
        self.sum = 0

    def add(self, row: tuple[Any, ...]) -> None:
        self.rows += 1
        told = repr(tuple(bytes(each) if isinstance(each, memoryview) else each for each in row))
        self.sum = (self.sum + int.from_bytes(hashlib.sha256(told.encode()).digest())) % _LARGEST


async def _finish(raw: Any, source: sqlite3.Connection) -> None:
    """The server goes on counting where the file stopped: an id is never given twice."""
    used = dict(source.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    async with raw.transaction():
        for row in await raw.fetch(_SEQUENCES):
            name, column = row["table_name"], row["column_name"]
            largest = await raw.fetchval(f'SELECT max("{column}") FROM "{name}"') or 0  # noqa: S608
            if (last := max(largest, used.get(name, 0))) > 0:
                await raw.execute("SELECT setval($1::text::regclass, $2)", row["sequence"], last)
        await raw.execute(f"DROP TABLE {MOVING}")
        await raw.execute("ANALYZE")
