"""What the documents on running and on scale name is there; what they reckon is right."""

import re
from pathlib import Path

import pytest

from bot import cli

DOCS = Path(__file__).parents[1] / "docs"
WORKING_SECONDS = 21 * 8 * 3600
"""Of a month."""


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """What a link may name after its #."""
    headings = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


def test_every_command_is_told() -> None:
    running = text_of(DOCS / "running.md")
    assert [name for name in cli.COMMANDS if f"`deskbridge {name}" not in running] == []


@pytest.mark.parametrize("page", ["running.md", "scale.md"])
def test_every_link_leads_somewhere(page: str) -> None:
    links = [each for each in re.findall(r"\]\(([^)\s]+)\)", text_of(DOCS / page)) if "://" not in each]
    assert links
    for link in links:
        file, _, anchor = link.partition("#")
        there = DOCS / (file or page)
        assert there.exists(), link
        assert not anchor or anchor in anchors(there), link


def test_the_table_of_capacity_follows_from_its_formula() -> None:
    lines = [line.strip("| ").split(" | ") for line in text_of(DOCS / "scale.md").splitlines()]
    rows = [cells for cells in lines if len(cells) == 6 and cells[0].replace(" ", "").isdecimal()]
    assert len(rows) == 3
    for row in rows:
        people, tickets, average, peak, messages, outage = (float(each.replace(" ", "")) for each in row)
        events = people * 1 * 15 / WORKING_SECONDS
        assert tickets == people
        assert average == pytest.approx(events, rel=0.2)
        assert (peak, messages) == pytest.approx((10 * events, 30 * events), rel=0.07)
        assert outage == pytest.approx(people * 0.02 * 5 / 300, rel=0.1)
