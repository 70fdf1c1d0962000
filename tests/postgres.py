"""A PostgreSQL server of the tests' own: real, private, on loopback, thrown away afterwards.

Its binaries come from the system (Debian: `apt install postgresql`); it refuses to run as root, so that root
lends it the system's user of that name.
"""

import contextlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.database import engine
from core.database.server import Server
from tests.ports import free_port

USER = "desk"
_HINT = "there is no PostgreSQL here; on Debian and Ubuntu: apt install postgresql"


_PROGRAMS = ("initdb", "pg_ctl", "pg_isready", "postgres", "psql")


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found += [
        Path(path).resolve().parent for path in (shutil.which("postgres"), shutil.which("initdb")) if path
    ]
    return next((each for each in found if all((each / name).exists() for name in _PROGRAMS)), None)


def needed() -> Path:
    """The binaries; a test that needs them is skipped without, or fails where nothing may be skipped."""
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
        self.made: set[str] = set()
        """The databases in it that the tests have asked for."""

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

    def drop_of(self, place: Server) -> None:
        """Drop the database of this place, if it is one of here."""
        name = place.dsn.rpartition("/")[2]
        self.drop(name)
        self.made.discard(name)

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


def shared() -> Postgres:
    """The server of this test process; it ends with it, and survives nothing."""
    if not _SHARED:
        needed()
        server = Postgres(
            Path(tempfile.mkdtemp(prefix="deskbridge-postgres-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
        )
        server.start()
        _SHARED.append(server)
    return _SHARED[0]


def end() -> None:
    """Stop what `shared` has started."""
    while _SHARED:
        server = _SHARED.pop()
        server.stop("immediate")
        shutil.rmtree(server.folder, ignore_errors=True)


def place(path: Path) -> Server:
    """The database that stands for a file of the tests: made at the first time, up to date."""
    server = shared()
    name = name_of(path)
    if name not in server.made:
        _template(server)
        server.create(name, _TEMPLATE)
        server.made.add(name)
    named = Server.of(server.url(name))
    assert named is not None
    return named


def drop_made() -> None:
    """Drop what a test has had made."""
    for server in _SHARED:
        for name in [each for each in server.made if each != _TEMPLATE]:
            server.drop(name)
            server.made.discard(name)


def _template(server: Postgres) -> None:
    """A desk that nobody has used yet: to copy it takes a fraction of what it takes to make it."""
    if _TEMPLATE not in server.made:
        made = Server.of(server.create(_TEMPLATE))
        assert made is not None
        engine.prepare(made)
        server.made.add(_TEMPLATE)


def name_of(path: Path) -> str:
    """A database's name made of a path of the tests."""
    return re.sub(r"[^a-z0-9]+", "_", str(path).lower())[-60:].strip("_")
