"""Counting what comes in a stretch of time."""

from dataclasses import replace
from datetime import datetime, timedelta

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


async def flood(tx: Transaction, name: str, most: int, span: timedelta, pause: timedelta) -> Burst | None:
    """It happened once more: the flood that this belongs to, if there is one.

    It begins with what comes after the first `most` in a `span`, and ends when nothing came for `pause`."""
    before = await store.get(tx, name)
    if before is None or tx.now < before.last or _over(before, tx.now, most, span, pause):
        before = Burst(tx.now, tx.now, 0)
    grown = replace(before, last=tx.now, times=before.times + 1)
    await store.save(tx, name, grown)
    return grown if grown.times > most else None


def _over(burst: Burst, now: datetime, most: int, span: timedelta, pause: timedelta) -> bool:
    """Whether what comes now begins a stretch of its own."""
    return now - burst.last >= pause if burst.times > most else now - burst.since >= span
