"""From nothing to ready: what starting takes, what the imports cost, what memory an idle desk holds."""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import process, rig
from bench.report import Report, Row

LIBRARIES = (
    "import aiohttp.web, sqlalchemy.ext.asyncio, pydantic_settings, apscheduler.schedulers.asyncio, babel"
)


def _python(code: str, times: int) -> float:
    """Seconds of a fresh interpreter that does this."""
    took = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=process.ROOT, env=process.environment(), check=True)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def _start(place: Path, settle: float) -> tuple[float, float]:
    """Seconds until ready, and resident megabytes after a while of doing nothing."""
    port = process.free_port()
    file = rig.written(place, f"[web]\nport = {port}\n")
    with process.running(["-m", "bot", "run", "--config", str(file)], port, "/readyz") as server:
        await asyncio.sleep(settle)
        return server.took, server.memory


async def measure(place: Path, *, quick: bool) -> Report:
    times, settle = (1, 0.0) if quick else (5, 3.0)
    _python("import bot.cli, bot.main", 1)  # whatever is compiled only once
    nothing, bare = _python("pass", times), _python(LIBRARIES, times)
    imports = _python("import bot.cli, bot.main", times)
    fresh, _ = await _start(place, 0.0)
    again = [await _start(place, settle) for _ in range(1 if quick else 3)]
    took, memory = statistics.median(each[0] for each in again), max(each[1] for each in again)
    return Report(
        "Starting (floor: an interpreter that imports the libraries and nothing else)",
        (
            Row("started on an empty folder until /readyz answers 200", fresh, "s", bare),
            Row("started again until /readyz answers 200", took, "s", bare),
            Row("interpreter and imports of the desk", imports, "s", bare),
            Row("floor: interpreter and imports of the libraries", bare, "s"),
            Row("a bare interpreter", nothing, "s"),
            Row("resident memory, idle", memory, "MB"),
        ),
    )
