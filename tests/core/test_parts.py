"""Two versions at once: which part of an upgrade may run, and who can work with what."""

import pytest
from alembic.script import ScriptDirectory

from core.database import migrate, parts
from core.database.parts import Part, Step

PRE, POST = Part.PRE, Part.POST
OLD = [Step("0001"), Step("0002")]
NEW = [*OLD, Step("0003", PRE), Step("0004", POST)]
NEWER = [*NEW, Step("0005", PRE), Step("0006", PRE), Step("0007", POST)]


def test_an_empty_database_gets_everything_at_once() -> None:
    assert parts.target(NEW, None, ()) == "0004"
    assert parts.target(NEW, None, {"0002"}) == "0004"


def test_while_an_older_version_serves_only_what_adds_is_done() -> None:
    assert parts.target(NEW, "0002", {"0002"}) == "0003"
    assert parts.target(NEW, "0003", {"0002", "0004"}) is None


def test_what_takes_away_is_done_once_nobody_older_serves() -> None:
    assert parts.target(NEW, "0003", {"0004"}) == "0004"
    assert parts.target(NEW, "0003", ()) == "0004"
    assert parts.target(NEW, "0004", ()) is None


def test_a_version_in_between_holds_back_only_what_it_does_not_know() -> None:
    assert parts.target(NEWER, "0003", {"0004"}) == "0006"
    assert parts.target(NEWER, "0002", {"0002"}) == "0003"


def test_a_version_works_as_soon_as_what_it_adds_is_there() -> None:
    assert parts.needs(NEW) == "0003"
    assert parts.needs(OLD) == "0002"
    assert parts.fits(NEW, "0003", None)
    assert parts.fits(NEW, "0004", None)
    assert not parts.fits(NEW, "0002", None)


def test_a_version_goes_on_until_something_it_needs_is_taken_away() -> None:
    """The older one with a schema that is newer than it knows."""
    floor = parts.floor(NEW, "0003")
    assert floor == "0002"
    assert parts.fits(OLD, "0003", floor)
    assert not parts.fits(OLD, "0004", parts.floor(NEW, "0004"))
    assert not parts.fits(OLD, "0003", None), "where nobody says so it is not believed"


def test_every_step_of_a_rolling_upgrade_leaves_both_versions_working() -> None:
    schema = "0002"
    for serving in ([OLD, OLD], [OLD, NEW], [NEW, NEW], [NEW, NEWER], [NEWER, NEWER]):
        newest = serving[-1]
        known = {chain[-1].revision for chain in serving}
        schema = parts.target(newest, schema, known) or schema
        assert all(parts.fits(chain, schema, parts.floor(newest, schema)) for chain in serving)
    assert schema == "0007"


def test_every_migration_says_which_part_it_is() -> None:
    chain = migrate.chain()
    assert chain[-1].revision == migrate.HEAD
    assert [step.revision for step in chain] == sorted(step.revision for step in chain)
    scripts = ScriptDirectory(str(migrate.SCRIPTS)).walk_revisions()
    unmarked = [each.revision for each in scripts if not hasattr(each.module, "part")]
    assert max(unmarked) < "0009"


@pytest.mark.parametrize("chain", [OLD, NEW, NEWER])
def test_what_a_version_makes_itself_fits_it(chain: list[Step]) -> None:
    newest = chain[-1].revision
    assert parts.fits(chain, newest, parts.floor(chain, newest))
