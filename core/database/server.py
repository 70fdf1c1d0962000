"""A PostgreSQL server's database as a place for a desk: reached, checked, brought up to date."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.kernel.errors import SetupError

T = TypeVar("T")
_URL = re.compile(
    r"postgresql(?:\+asyncpg)?://(?P<rest>(?:(?P<user>[^:@/]*)(?::[^@]*)?@)?(?P<where>[^?]*)(?:\?.*)?)"
)
OLDEST = 150000
"""The oldest server that will do, as PostgreSQL numbers its versions."""
_MIGRATING = 0x6465736D
_DEAD_AFTER = 60.0
"""Seconds without a word after which a process holds back no upgrade, even if nobody else has buried it."""
_WAIT, _PAUSE, _IN_USE = 1000, 0.5, 60.0
"""Milliseconds for which a change of the schema waits for a lock, seconds between two tries, and seconds in
which it is tried."""
_TAKEN = ("55P03", "40P01")
"""What PostgreSQL says where others had a lock for too long, or would have waited for each other for ever."""
MOVING = "deskbridge_moving"
"""Stands in the database while a desk is being moved into it."""


@dataclass(frozen=True)
class Server:
    """Where the database is. Shown without its password."""

    dsn: str = field(repr=False)

    @staticmethod
    def of(url: str) -> "Server | None":
        """What a postgresql+asyncpg:// URL names; None for another kind of URL."""
        found = _URL.fullmatch(url)
        return Server(f"postgresql://{found['rest']}") if found else None

    def __str__(self) -> str:
        found = _URL.fullmatch(self.dsn)
        assert found is not None
        return f"postgresql://{found['user'] + '@' if found['user'] else ''}{found['where']}"


class Shared:
    """Any number of processes serve such a database: there is nothing to be held."""

    def release(self) -> None:
        """Nothing is held."""


def prepare(server: Server, *, moving: bool = False) -> Shared:
    """Check the server and bring the schema up to date; processes that start together do it once.

    Raises SetupError, one plain line saying what is wrong and what to do; also where a desk is being moved
    into it, unless one is `moving` it."""
    if settle(lambda: _on(server, lambda connection: connection.run_sync(_is_due, server, moving))):
        settle(lambda: _on(server, lambda connection: connection.run_sync(_upgrade, server), patient=True))
    return Shared()


def expect(server: Server) -> None:
    """Raises SetupError when no desk of this version is there."""
    from core.database import migrate

    found = revision(server)
    if found is None:
        raise SetupError(
            f"There is no desk in {server} yet. Start it once with `deskbridge run`, or check database.url."
        )
    if found != migrate.HEAD and not settle(
        lambda: _on(server, lambda connection: connection.run_sync(_fits, found))
    ):
        raise SetupError(
            f"The database {server} is of another version (schema {found}). Bring it up to date with"
            " `deskbridge migrate`, or use the version that made it."
        )


def revision(server: Server) -> str | None:
    """The schema's revision, None where no desk is yet. Raises SetupError for another program's database."""
    found: str | None = settle(lambda: _on(server, lambda connection: connection.run_sync(_revision, server)))
    return found


def settle(work: Callable[[], Awaitable[T]]) -> T:
    """Run it to its end, also where an event loop is running already."""

    async def whole() -> T:
        return await work()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(whole())).result()


async def _on(server: Server, work: Callable[[Any], Awaitable[T]], *, patient: bool = False) -> T:
    """`patient`: a large table takes its time to be changed, and so does somebody else who changes it."""
    import asyncpg
    from sqlalchemy.exc import DBAPIError

    from core.database import postgresql

    engine = postgresql.engine(server, patient=patient)
    try:
        async with engine.connect() as connection:
            raw: Any = (await connection.get_raw_connection()).driver_connection
            _suits(server, raw)
            await raw.execute("SET lock_timeout = 0; SET statement_timeout = 0")
            await raw.execute("SET idle_in_transaction_session_timeout = 0")
            return await work(connection)
    except DBAPIError as error:
        raise _unsuitable(server, postgresql.cause(error)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, ValueError) as error:
        raise _unsuitable(server, error) from None
    finally:
        await engine.dispose()


def _suits(server: Server, raw: Any) -> None:
    version, encoding = raw.get_server_version(), raw.get_settings().server_encoding
    if version.major * 10000 < OLDEST:
        raise SetupError(
            f"{server} is PostgreSQL {version.major}. Deskbridge needs {OLDEST // 10000} or newer."
        )
    if encoding != "UTF8":
        raise SetupError(
            f"The database {server} is encoded in {encoding}. Make one that holds every language:"
            " createdb --encoding UTF8 --template template0 …"
        )


def _unsuitable(server: Server, error: BaseException) -> SetupError:
    import asyncpg

    from core.database import postgresql

    told = postgresql.told(error)
    if isinstance(error, asyncpg.InvalidPasswordError | asyncpg.InvalidAuthorizationSpecificationError):
        return SetupError(
            f"{server} refuses this user or password. Check the user in database.url, and the password in"
            " PGPASSWORD or in the file that PGPASSFILE names."
        )
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return SetupError(
            f"There is no such database: {server}. Make it (createdb --encoding UTF8 --template template0 …),"
            " or mend database.url."
        )
    if isinstance(error, asyncpg.InsufficientPrivilegeError):
        return SetupError(
            f"The user may not make tables in {server}. Make the user the database's owner, or grant CREATE."
        )
    if isinstance(error, asyncpg.PostgresError):
        return SetupError(f"The database {server} cannot be prepared ({told}). Check database.url.")
    return SetupError(f"{server} cannot be reached ({told}). Is the server running, and database.url right?")


def _revision(connection: Any, server: Server) -> str | None:
    tables = {
        str(row[0])
        for row in connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
        )
    }
    if "alembic_version" in tables:
        row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
        return None if row is None else str(row[0])
    if tables:
        raise SetupError(f"{server} is not a Deskbridge database; it is left alone. Change database.url.")
    return None


def _fits(connection: Any, found: str) -> bool:
    from core.database import migrate

    return migrate.fits(connection, found)


def _is_due(connection: Any, server: Server, moving: bool) -> bool:
    """Whether the schema is not up to date."""
    from core.database import migrate

    if not moving and connection.exec_driver_sql(f"SELECT to_regclass('{MOVING}')").scalar() is not None:
        raise SetupError(
            f"A desk is being moved into {server}. Run `deskbridge move-database` again until it says that"
            " everything is there."
        )
    return _revision(connection, server) != migrate.HEAD


def _upgrade(connection: Any, server: Server) -> None:
    from core.database import migrate

    connection.exec_driver_sql(f"SELECT pg_advisory_lock({_MIGRATING}, hashtext(current_schema()))")
    found = _revision(connection, server)
    if found == migrate.HEAD:
        return
    patience = time.monotonic() + _IN_USE
    while not _upgraded(connection, server, found, last=time.monotonic() > patience):
        time.sleep(_PAUSE)


def _upgraded(connection: Any, server: Server, found: str | None, *, last: bool) -> bool:
    """One try, which waits only shortly for those who serve the desk: whoever comes after a change that waits
    for a table waits too. False where they had it for too long; the `last` try raises what says so."""
    from sqlalchemy.exc import DBAPIError

    from core.database import migrate, postgresql

    connection.exec_driver_sql("BEGIN")  # old or new, never between
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {0 if found is None else _WAIT}")
    try:
        connection.exec_driver_sql(postgresql.ALONE_AT_IT)  # as whoever writes does, before any table
        migrate.run(connection, server, found, _others(connection) if found else ())
    except DBAPIError as error:
        connection.exec_driver_sql("ROLLBACK")
        if last or getattr(postgresql.cause(error), "sqlstate", "") not in _TAKEN:
            raise
        return False
    connection.exec_driver_sql("COMMIT")
    return True


def _others(connection: Any) -> frozenset[str]:
    """The newest revisions that those know who serve the desk; who has said nothing for long is dead."""
    if connection.exec_driver_sql("SELECT to_regclass('replicas')").scalar() is None:
        return frozenset()
    since = int((time.time() - _DEAD_AFTER) * 1_000_000)
    rows = connection.exec_driver_sql(f"SELECT schema FROM replicas WHERE beat_at > {since}")  # noqa: S608
    return frozenset(row[0] for row in rows)
