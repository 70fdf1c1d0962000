"""The benchmarks run: small sizes, and nobody asks how fast."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.report import Report, Row, markdown, quantile
from tests import postgres

ON_A_SERVER = ("replicas", "claims-postgresql", "stalls-postgresql")
ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", bench.BENCHMARKS)
async def test_each_benchmark_measures_something_in_its_quick_form(name: str) -> None:
    if name in ON_A_SERVER:
        postgres.needed()
    report = await bench.measure(name, quick=True)
    assert all(row.value > 0 for row in report.rows)
    assert any(row.ratio for row in report.rows)
    assert markdown([report]).count("\n") == len(report.rows) + 3


def test_an_unknown_benchmark_is_refused_and_the_known_ones_named() -> None:
    done = subprocess.run([sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert all(name in done.stderr for name in bench.BENCHMARKS)


def test_a_ratio_stands_beside_its_floor_and_nowhere_else() -> None:
    table = markdown([Report("Title", (Row("desk", 1500, "events/s", 3000), Row("floor", 3000, "events/s")))])
    assert "| desk | 1 500 | events/s | 0.50x |" in table
    assert "| floor | 3 000 | events/s |  |" in table


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([3, 1, 2, 4], share) for share in (0, 0.5, 0.99)] == [1, 3, 4]
