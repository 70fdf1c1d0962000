"""The floor: the bare libraries with as many rows and the same durability, and nothing else."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, Table, Text, event
from sqlalchemy.ext.asyncio import create_async_engine

from core.database.engine import Database
from core.database.schema import metadata
from core.database.transaction import Transaction

BODY = '{"text": "' + "x" * 280 + '"}'
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
AT_ONCE = 16


async def count(database: Database) -> dict[str, int]:
    """How many rows each table has."""

    async def work(tx: Transaction) -> dict[str, int]:
        return {
            table.name: await tx.scalar(sqlalchemy.select(sqlalchemy.func.count()).select_from(table))
            for table in metadata.sorted_tables
        }

    return await database.read(work)


def plain(path: Path, transactions: int, rows: int) -> float:
    """Transactions a second of a loop on sqlite3, each of so many inserts."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in PRAGMAS:
            connection.execute(pragma)
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, lane TEXT, body TEXT)")
        began = time.perf_counter()
        for number in range(transactions):
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(rows):
                connection.execute("INSERT INTO bare (lane, body) VALUES (?, ?)", (str(number), BODY))
            connection.execute("COMMIT")
        return transactions / (time.perf_counter() - began)


async def library(path: Path, transactions: int, rows: int) -> float:
    """The same through SQLAlchemy and aiosqlite in their usual manner, many tasks on one connection."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=1, max_overflow=0)
    columns = (Column("id", Integer, primary_key=True), Column("lane", Text), Column("body", Text))
    bare = Table("bare", MetaData(), *columns)
    event.listen(engine.sync_engine, "connect", lambda raw, _: [raw.execute(pragma) for pragma in PRAGMAS])
    async with engine.begin() as connection:
        await connection.run_sync(bare.metadata.create_all)

    async def work(first: int) -> None:
        for number in range(first, transactions, AT_ONCE):
            async with engine.begin() as connection:
                for _ in range(rows):
                    await connection.execute(bare.insert().values(lane=str(number), body=BODY))

    began = time.perf_counter()
    await asyncio.gather(*(work(first) for first in range(AT_ONCE)))
    took = time.perf_counter() - began
    await engine.dispose()
    return transactions / took
