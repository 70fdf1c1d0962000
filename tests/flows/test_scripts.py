"""Said and heard, word for word, in every language."""

from pathlib import Path

import pytest

from bot import i18n
from tests.flows.player import SCRIPTS, played


@pytest.mark.parametrize(
    "script", sorted(SCRIPTS.glob("*/*.txt")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
async def test_what_is_said_is_answered_as_written(script: Path, tmp_path: Path) -> None:
    assert (await played(script, tmp_path)).splitlines() == script.read_text(encoding="utf-8").splitlines()


def test_every_script_is_there_in_every_language() -> None:
    names = {
        language: {path.name for path in (SCRIPTS / language).glob("*.txt")} for language in i18n.languages
    }
    assert len(set(map(frozenset, names.values()))) == 1
    assert names["en"]
