"""What a measurement found, and the table it is printed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what was measured, what came out, and how it stands to the floor."""

    what: str
    value: float
    unit: str
    floor: float | None = None
    """The bare libraries' value, measured in the same run."""

    @property
    def ratio(self) -> str:
        return f"{self.value / self.floor:.2f}x" if self.floor else ""


@dataclass(frozen=True, slots=True)
class Report:
    """The rows of one benchmark under its title."""

    title: str
    rows: Sequence[Row]


def markdown(reports: Iterable[Report]) -> str:
    """Every report as a table of Markdown."""
    return "\n\n".join(_table(report) for report in reports)


def _table(report: Report) -> str:
    lines = [
        f"### {report.title}",
        "",
        "| what | value | unit | beside the floor |",
        "| --- | ---: | --- | ---: |",
    ]
    lines += [f"| {row.what} | {_number(row.value)} | {row.unit} | {row.ratio} |" for row in report.rows]
    return "\n".join(lines)


def _number(value: float) -> str:
    if value >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def quantile(values: Iterable[float], share: float) -> float:
    """The value that `share` of the others do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
