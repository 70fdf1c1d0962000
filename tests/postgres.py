"""A PostgreSQL server of the tests' own: real, private, on loopback, thrown away afterwards.

Its binaries come from the system (Debian: `apt install postgresql`); it refuses to run as root, so that root
lends it the system's user of that name.
"""

import contextlib
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import pytest

from tests.ports import free_port

USER = "desk"
_NAME = "deskbridge-postgres-"
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

    def __init__(self, folder: Path, *, durable: bool = False, port: int = 0) -> None:
        """With a `port` it is one that runs already, and whoever started it ends it."""
        self._bin = needed()
        self.folder = folder
        self.port = port or free_port()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

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
            "max_connections": "500",
            "autovacuum": "off",
            "jit": "off",
            # In its folder: a server that is killed leaves nothing elsewhere.
            "dynamic_shared_memory_type": "mmap",
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
                self._mortal([str(self._bin / "postgres"), "-D", str(self.folder / "data"), *given]),
                stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
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
            _throw_away(follower)

    def promote(self) -> None:
        """A follower is its own master from now on, and waits for nobody."""
        self.sql("ALTER SYSTEM SET synchronous_standby_names = ''")
        self.sql("SELECT pg_reload_conf()")
        self._run("pg_ctl", "promote", "--pgdata", str(self.folder / "data"), "--wait")

    @property
    def own(self) -> bool:
        """Whether this process runs it."""
        return self._process is not None

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

    def _mortal(self, command: Sequence[str]) -> list[str]:
        """The same for what serves: however whoever started it ends, it ends too."""
        last = [] if shutil.which("setpriv") is None else ["setpriv", "--pdeathsig=QUIT"]
        return self._as([*last, *command])


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
"""The server that the tests of one run have in common, once one asks for it."""
VARIABLE = "DESKBRIDGE_TEST_SERVER"
"""Its port and folder, for the processes that share the tests among them."""


def begin() -> None:
    """Start the server for this process and those it starts. It ends with this process at the latest."""
    folder = _folder()
    _sweep(folder.parent)
    server = Postgres(folder)
    server.start()
    os.environ[VARIABLE] = f"{server.port} {folder}"
    _SHARED.append(server)


def shared() -> Postgres:
    """The server of this run."""
    if not _SHARED:
        needed()
        if VARIABLE in os.environ:
            port, folder = os.environ[VARIABLE].split(" ", 1)
            _SHARED.append(Postgres(Path(folder), port=int(port)))
        else:
            begin()
    return _SHARED[0]


def end() -> None:
    """Stop what this process has started."""
    while _SHARED:
        server = _SHARED.pop()
        if server.own:
            os.environ.pop(VARIABLE, None)
            _throw_away(server)


@contextlib.contextmanager
def another(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of one's own, which may be stopped and started."""
    needed()
    server = Postgres(_folder(), durable=durable)
    try:
        server.start()
        yield server
    finally:
        _throw_away(server)


def _throw_away(server: Postgres) -> None:
    server.stop("immediate")
    shutil.rmtree(server.folder, ignore_errors=True)
    _owned.pop(server.folder).close()


_owned: dict[Path, IO[str]] = {}
"""Folders whose owner is this process, as a locked file in each of them tells."""


def _folder() -> Path:
    """Not among the folders of tests, which are nobody else's: the server has a user of its own."""
    folder = Path(tempfile.mkdtemp(prefix=_NAME, dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")))
    _owned[folder] = mine = (folder / "owner").open("w")
    fcntl.flock(mine, fcntl.LOCK_EX)
    return folder


def _sweep(place: Path) -> None:
    """Remove what runs that were killed have left behind; their servers died with them."""
    for owner in place.glob(f"{_NAME}*/owner"):
        with contextlib.suppress(OSError), owner.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(owner.parent, ignore_errors=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Nobody else of this run is here meanwhile."""
    with (shared().folder / "owner.alone").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
