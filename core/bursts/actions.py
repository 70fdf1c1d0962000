"""Counting what comes in a stretch of time."""

from dataclasses import replace
from datetime import timedelta

from core.bursts import store
from core.bursts.store import Burst
from core.database.transaction import Transaction


async def count(tx: Transaction, name: str, span: timedelta) -> int:
    """It happened once more: how often by now, in a stretch that began at most `span` ago."""
    before = await store.get(tx, name)
    if before is None or not timedelta(0) <= tx.now - before.since < span:
        before = Burst(tx.now, tx.now, 0)
    grown = replace(before, last=tx.now, times=before.times + 1)
    await store.save(tx, name, grown)
    return grown.times
