"""A PostgreSQL server of the tests' own: real, private, on loopback, thrown away afterwards.

Its binaries come from the system (Debian: `apt install postgresql`); it refuses to run as root, so that root
lends it the system's user of that name.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from core.database import engine
from core.database.server import Server
from tests.ports import free_port

USER = "desk"
_HINT = "there is no PostgreSQL here; on Debian and Ubuntu: apt install postgresql"


_PROGRAMS = ("initdb", "pg_basebackup", "pg_ctl", "pg_dump", "pg_isready", "postgres", "psql")


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found += [
        Path(path).resolve().parent for path in (shutil.which("postgres"), shutil.which("initdb")) if path
    ]
    return next((each for each in found if all((each / name).exists() for name in _PROGRAMS)), None)


def needed() -> Path:
    """Their folder; a test that needs them is skipped without, or fails where nothing may be skipped."""
    found = binaries()
    if found is None:
        if os.environ.get("DESKBRIDGE_TEST_REQUIRE_ALL"):
            pytest.fail(_HINT)
        pytest.skip(_HINT)
    return found


class Postgres:
    """One server with its own data. `durable`: with fsync, for what kills it."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._bin = needed()
        self.folder = folder
        self.port = free_port()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None
        self.places: dict[Path, str] = {}
        """The databases in use, by the file each stands for."""
        self.free: list[str] = []
        self.count = 0

    def start(self) -> None:
        """Make it, if there is none yet, and start it. Returns once it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._own(self.folder)
            self._run(
                "initdb", "--pgdata", str(self.folder / "data"), "--username", USER, "--encoding", "UTF8",
                "--locale", "C.UTF-8", "--auth", "trust", "--no-sync", "--no-instructions",
            )  # fmt: skip
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "autovacuum": "off",
            "jit": "off",
            "shared_buffers": "32MB",
            "logging_collector": "off",
            **(
                {}
                if self._durable
                else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
            ),
        }
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as([str(self._bin / "postgres"), "-D", str(self.folder / "data"), *given]),
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        self._run(
            "pg_isready", "--host", "127.0.0.1", "--port", str(self.port), "--timeout", "20", patience=200
        )

    @contextlib.contextmanager
    def standby(self) -> Iterator["Postgres"]:
        """Another server that follows this one; from then on no commit is told before it is there too."""
        folder = _folder()
        follower = Postgres(folder, durable=self._durable)
        self._own(folder)
        self._run(
            "pg_basebackup", "--pgdata", str(folder / "data"), "--write-recovery-conf", "--no-sync",
            "--checkpoint", "fast", "--host", "127.0.0.1", "--port", str(self.port), "--username", USER,
        )  # fmt: skip
        try:
            follower.start()
            self.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.sql("SELECT pg_reload_conf()")
            yield follower
        finally:
            follower.stop("immediate")
            shutil.rmtree(folder, ignore_errors=True)

    def promote(self) -> None:
        """A follower is its own master from now on, and waits for nobody."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.sql("SELECT pg_reload_conf()")
        self._run("pg_ctl", "promote", "--pgdata", str(self.folder / "data"), "--wait")

    def stop(self, how: str = "fast") -> None:
        """`fast`, or `immediate` as a crash would."""
        if self._process is not None:
            with contextlib.suppress(subprocess.CalledProcessError):
                self._run("pg_ctl", "stop", "--pgdata", str(self.folder / "data"), "--mode", how, "--wait")
            self._process.wait(20)
            self._process = None

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://{USER}@127.0.0.1:{self.port}/{name}"

    def create(self, name: str, template: str = "template0") -> str:
        """A database; returns its URL."""
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, words: str, database: str = "postgres") -> str:
        """What psql tells, without headings."""
        return self._run(
            "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1",
            "--host", "127.0.0.1", "--port", str(self.port), "--username", USER, "--dbname", database,
            "--command", words,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str, patience: int = 1) -> str:
        for left in reversed(range(patience)):
            done = subprocess.run(
                self._as([str(self._bin / program), *arguments]),
                capture_output=True,
                text=True,
                cwd="/",
                timeout=60,
            )
            if done.returncode == 0:
                return done.stdout.strip()
            if not left:
                raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                assert self._process is not None
                self._process.wait(0.1)
        raise AssertionError

    def _own(self, folder: Path) -> None:
        if (user := _user()) is not None:
            for each in (folder, *_closed_above(folder)):
                os.chmod(each, each.stat().st_mode | 0o011)
            os.chown(folder, user.pw_uid, user.pw_gid)

    def _as(self, command: Sequence[str]) -> list[str]:
        user = _user()
        if user is None:
            return list(command)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def _closed_above(folder: Path) -> list[Path]:
    """The folders on the way that others may not go through."""
    return [each for each in folder.parents if not each.stat().st_mode & 0o001]


def _user() -> pwd.struct_passwd | None:
    """Whose server it is, when root runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("PostgreSQL refuses root, and there is no user postgres or nobody")


_SHARED: list[Postgres] = []
"""The server that the tests of one process have in common, once one asks for it."""
_TEMPLATE = "empty_desk"
_EMPTY = "SELECT make_empty()"
_CLEANING = """
CREATE FUNCTION make_empty() RETURNS void LANGUAGE plpgsql AS $$
DECLARE names text; used boolean; each record;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  FOR each IN SELECT tablename FROM pg_tables
      WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', each.tablename) INTO used;
    IF used THEN names := concat_ws(', ', names, quote_ident(each.tablename)); END IF;
  END LOOP;
  IF names IS NOT NULL THEN EXECUTE 'TRUNCATE ' || names || ' CASCADE'; END IF;
  PERFORM setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences
    WHERE last_value IS NOT NULL;
END $$
"""


def shared() -> Postgres:
    """The server of this test process; it ends with it, and survives nothing."""
    if not _SHARED:
        needed()
        server = Postgres(_folder())
        server.start()
        _SHARED.append(server)
    return _SHARED[0]


@contextlib.contextmanager
def another(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of one's own, which may be stopped and started."""
    needed()
    server = Postgres(_folder(), durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop("immediate")
        shutil.rmtree(server.folder, ignore_errors=True)


def _folder() -> Path:
    """Not among the folders of tests, which are nobody else's: the server has a user of its own."""
    return Path(tempfile.mkdtemp(prefix="deskbridge-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))


def end() -> None:
    """Stop what `shared` has started."""
    while _SHARED:
        server = _SHARED.pop()
        server.stop("immediate")
        shutil.rmtree(server.folder, ignore_errors=True)


def place(path: Path) -> Server:
    """The database that stands for a file of the tests: up to date, and empty at the first time."""
    server = shared()
    if path not in server.places:
        server.places[path] = server.free.pop() if server.free else _another(server)
    named = Server.of(server.url(server.places[path]))
    assert named is not None
    return named


def clean() -> None:
    """What a test has used is empty for the next one: to empty a database takes a fifth of making one."""
    for server in _SHARED:
        for name in server.places.values():
            server.sql(_EMPTY, name)
            server.free.append(name)
        server.places.clear()


def throw_away(path: Path) -> None:
    """This one was changed so that nobody else can use it."""
    for server in _SHARED:
        if (name := server.places.pop(path, None)) is not None:
            server.drop(name)


def _another(server: Postgres) -> str:
    """A copy of a desk that nobody has used yet."""
    if not server.count:
        made = Server.of(server.create(_TEMPLATE))
        assert made is not None
        engine.prepare(made)
        server.sql(_CLEANING, _TEMPLATE)
    server.count += 1
    server.create(name := f"desk_{server.count}", _TEMPLATE)
    return name
