"""What migrations promise, whichever database it is."""

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.database import migrate
from core.database.schema import schema_floor
from core.kernel.errors import SetupError
from tests.contract.databases import Stand


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    return ScriptDirectory.from_config(config)


async def test_a_fresh_database_has_exactly_the_tables_of_the_code(stand: Stand) -> None:
    assert list(stand.differences()) == []


async def test_the_named_head_is_the_newest_script(stand: Stand) -> None:
    assert scripts().get_current_head() == migrate.HEAD == stand.revision()


async def test_the_scripts_are_one_line_from_the_first_to_the_last(stand: Stand) -> None:
    revisions = list(scripts().walk_revisions())
    assert [script.is_merge_point or script.is_branch_point for script in revisions] == [False] * len(
        revisions
    )


async def test_an_upgrade_of_what_is_up_to_date_changes_nothing(stand: Stand) -> None:
    stand.upgrade()
    stand.upgrade()
    assert stand.revision() == migrate.HEAD
    assert list(stand.differences()) == []


async def test_a_schema_that_a_newer_version_has_only_added_to_is_left_as_it_is(stand: Stand) -> None:
    stand.pretend("9999")
    stand.upgrade()
    assert stand.revision() == "9999"


async def test_a_schema_of_a_newer_version_is_refused_and_left_alone(stand: Stand) -> None:
    await stand.database.write(lambda tx: tx.execute(schema_floor.update().values(oldest="9998")))
    stand.pretend("9999")
    with pytest.raises(SetupError, match="newer Deskbridge"):
        stand.upgrade()
    assert stand.revision() == "9999"
