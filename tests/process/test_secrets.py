"""What lets somebody in, and what people say to each other, stands in no log, no export and no number."""

from pathlib import Path

import pytest
from sqlalchemy import text

from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from tests.process.conftest import Yard
from tests.process.conversation import Round
from tests.process.desk import Desk
from tests.process.person import Refused


async def test_no_secret_and_no_word_is_found_where_it_does_not_belong(yard: Yard) -> None:
    desk = await yard.desk().start("--debug")
    ivan, anna = await yard.signed_in(desk, "ivan", "anna")
    thief = yard.person(desk, "anna")
    with pytest.raises(Refused):
        await thief.sign_in("a-token-that-was-guessed-but-is-a-secret-of-another-desk")
    one = Round(ivan, anna, 1)
    await one.play()
    for page in ("/", "/metrics", "/readyz", "/s/anna/", "/nowhere", "/s/anna/files/0"):
        await desk.get(page)
    numbers = (await desk.get("/metrics"))[1]
    export = (await desk.ask("export", "--json", "--debug")).stdout
    assert await desk.stop() == 0
    assert '"level": "DEBUG"' in desk.errors
    secrets = [
        "a-token-that-was-guessed",
        *(desk.link(account) for account in ("ivan", "anna", "boris", "maria")),
        *ivan.secrets,
        *anna.secrets,
    ]
    for secret in secrets:
        assert len(secret) > 15
        for place, told in (("log", desk.errors), ("export", export), ("metrics", numbers)):
            assert secret not in told, place
    for word in one.words:
        assert word in export
        assert word not in desk.errors
        assert word not in numbers
    for secret in secrets:
        assert all(secret not in kept for kept in everything_kept(desk))


def everything_kept(desk: Desk) -> list[str]:
    """The files of the desk, byte for byte."""
    return [each.read_bytes().decode("latin-1") for each in desk.folder.glob("desk.db*")]


async def test_an_error_of_the_database_does_not_repeat_what_was_said(tmp_path: Path) -> None:
    engine.prepare(tmp_path / "desk.db").release()
    database = Database(tmp_path / "desk.db")

    async def wrong(tx: Transaction) -> None:
        await tx.execute(text("INSERT INTO nowhere VALUES (:said)"), {"said": "between you and me"})

    try:
        for attempt in (database.write, database.read):
            with pytest.raises(Exception, match="nowhere") as caught:
                await attempt(wrong)
            assert "between you and me" not in str(caught.value)
    finally:
        await database.close()
