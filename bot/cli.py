"""The command line: what the desk does for its operator."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot import config, export, logs
from bot.config import Settings
from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from core.desk import Desk
from core.inbox import actions as inbox
from core.inbox import store as inbox_store
from core.kernel.errors import SetupError, TemporaryError
from core.kernel.ids import Identity, ParcelId
from core.outbox import actions as outbox
from core.outbox import store as outbox_store

OK, FAILED, WRONG_CONFIG = 0, 1, 2
"""Exit codes: done; could not be done; the configuration or the command line is wrong."""


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that takes as long as reading the configuration."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        say(metadata.version("deskbridge"))
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    top = argparse.ArgumentParser(prog="deskbridge", description="A help desk that lives inside messengers.")
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--config", type=Path, help="a TOML file (default: config.toml if it is there)")
    shared.add_argument("--debug", action="store_true", help="log every step")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")

    def add(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=does, parents=[shared])

    run = add("run", "serve until Ctrl-C or SIGTERM")
    run.add_argument("--init", action="store_true", help="begin an empty desk where the database is lost")
    add("check-config", "read the configuration and report every mistake")
    add("migrate", "bring the database up to date, or make it")
    keep = add("backup", "copy the desk, also while it serves")
    keep.add_argument("target", type=Path, help="a file that does not exist yet; files go to TARGET.files")
    keep.add_argument("--without-files", action="store_true", help="leave out what people sent as files")
    add("restore", "put a backup where no desk is").add_argument(
        "source", type=Path, help="what `backup` made"
    )
    add("export", "every ticket with messages and timeline").add_argument(
        "--json", action="store_true", required=True, help="as one JSON document on standard output"
    )
    letters = add("dead-letters", "events and parcels that were given up")
    letters.add_argument("what", choices=["list", "replay", "discard"])
    letters.add_argument("ids", nargs="*", metavar="id", help="as `list` names them, for example in-12 out-7")
    add("doctor", "check the desk and its messengers, and say what to do")
    simulate = add("simulate", "what an escalation policy would do with a ticket that nobody touches")
    simulate.add_argument("--policy", metavar="name", help="left out: the one that covers the ticket")
    simulate.add_argument(
        "--ticket",
        required=True,
        metavar="words",
        help="priority, queue and request type: 'critical network'",
    )
    simulate.add_argument(
        "--at", metavar="moment", help="when it is opened: '2026-11-27 18:00'; left out: now"
    )
    move = add("move-database", "copy the desk of an SQLite file to an empty PostgreSQL database")
    move.add_argument("--from", dest="source", required=True, metavar="sqlite+aiosqlite:///…")
    move.add_argument("--to", dest="target", required=True, metavar="postgresql+asyncpg://…")
    manifest = add("slack-manifest", "the Slack app, to be pasted where Slack asks for a manifest")
    manifest.add_argument(
        "--commands", action="store_true", help="every command also by itself, not only as /desk …"
    )
    sign_in = add("sign-in", "a one-time link for a person of the web chat")
    sign_in.add_argument("who", help="as the configuration names them, for example web:anna")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Mistakes are told in plain lines on standard error."""
    options = parser().parse_args(arguments)
    os.umask(0o077)  # what people write is nobody else's on this machine
    try:
        settings = config.load(options.config, os.environ)
        _keepable(settings)
        logs.setup("DEBUG" if options.debug else "INFO", secrets=settings.secrets)
        result: int = COMMANDS[options.command](settings, options)
    except config.ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return WRONG_CONFIG
    except SetupError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return FAILED
    except TemporaryError as error:
        print(f"The database does not answer: {error}. Try again.", file=sys.stderr)  # noqa: T201
        return FAILED
    except BrokenPipeError:
        return FAILED
    return result


def _keepable(settings: Settings) -> None:
    """Raises ConfigError where a promise would never fall due."""
    from bot import rules

    if settings.calendars and (lines := list(rules.unkeepable(settings, datetime.now(UTC)))):
        raise config.ConfigError(lines)


def say(line: str) -> None:
    """One line for the person at the terminal, at once."""
    print(line, flush=True)  # noqa: T201


def _run(settings: Settings, options: argparse.Namespace) -> int:
    from bot import main as house

    asyncio.run(house.run(settings, anew=options.init, say=say))
    return OK


def _check(settings: Settings, options: argparse.Namespace) -> int:
    from bot import doctor

    where = settings.source or "no file, the built-in demo"
    say(f"The configuration is right ({where}).")
    for finding in doctor.of_people(settings):
        if not finding.ok:
            say(doctor.worded(settings, finding))
    return OK


def _migrate(settings: Settings, options: argparse.Namespace) -> int:
    engine.prepare(settings.database.place).release()
    say(f"The database {settings.database.place} is up to date.")
    return OK


def _move(settings: Settings, options: argparse.Namespace) -> int:
    from core.database import move
    from core.database.server import Server

    source, target = engine.place_of(options.source), engine.place_of(options.target)
    if isinstance(source, Server) or not isinstance(target, Server):
        raise SetupError(
            "--from takes sqlite+aiosqlite:///path/to/file.db, --to postgresql+asyncpg://user@host/name"
        )
    move.move(
        source, target, lambda moved: say(f"{moved.name:<18}{moved.rows:>10}  sha256 {moved.digest[:16]}")
    )
    say(f"Everything is in {target}. Write its address into database.url and start the desk.")
    return OK


def _backup(settings: Settings, options: argparse.Namespace) -> int:
    from bot import backup

    backup.keep(settings, options.target, say, files=not options.without_files)
    return OK


def _restore(settings: Settings, options: argparse.Namespace) -> int:
    from bot import backup

    backup.bring_back(settings, options.source, say)
    return OK


def _with_database(settings: Settings, work: Callable[[Database], Any], *, whole: bool = False) -> Any:
    """Beside a running desk, which may be writing at the same moment; `whole`: look all of it through."""
    place = settings.database.place
    engine.expect(place, whole=whole)

    async def run() -> Any:
        database = Database(place, guest=True)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def _slack_manifest(settings: Settings, options: argparse.Namespace) -> int:
    import json

    from bot import i18n
    from bot.adapters.slack.manifest import RESERVED, manifest
    from bot.flows import commands
    from core.kernel.clock import WallClock

    desk, now = settings.desk, WallClock().now()
    singles = {
        each.name: i18n.word(each.help, desk.language, time_zone=desk.time_zone, now=now)
        for each in commands.COMMANDS
        if each.name not in RESERVED
    }
    http = settings.slack.mode == "http"
    app = manifest(singles if options.commands else {}, settings.web.address if http else None)
    say(json.dumps(app, indent=2, ensure_ascii=False))
    return OK


def _export(settings: Settings, options: argparse.Namespace) -> int:
    from bot import rules

    async def work(database: Database) -> list[Any]:
        Desk(database, rules.rules(settings), lambda _: None)

        async def everything(tx: Transaction) -> list[Any]:
            return [await export.ticket(tx, number) for number in await export.ticket_ids(tx)]

        return await database.read(everything)

    document = {"format": export.FORMAT, "tickets": _with_database(settings, work)}
    export.write(document, sys.stdout)
    return OK


def _dead_letters(settings: Settings, options: argparse.Namespace) -> int:
    if options.what == "list":
        _with_database(settings, _list_dead)
        return OK
    if not options.ids:
        raise SetupError(f"Which? For example: deskbridge dead-letters {options.what} in-12")

    async def work(database: Database) -> list[str]:
        return [each for each in options.ids if not await _settle(database, options.what, each)]

    unknown = _with_database(settings, work)
    for each in unknown:
        say(f"There is no dead letter {each}; `deskbridge dead-letters list` names them.")
    return FAILED if unknown else OK


async def _list_dead(database: Database) -> None:
    events = await database.read(inbox_store.dead)
    parcels = await database.read(outbox_store.dead)
    for row in events:
        say(f"in-{row.id}\t{row.received_at.isoformat()}\t{row.lane}\t{row.error}")
    for row in parcels:
        say(f"out-{row.id}\t{row.created_at.isoformat()}\t{row.lane}\t{row.kind}\t{row.error}")
    if not events and not parcels:
        say("There are no dead letters.")


async def _settle(database: Database, what: str, name: str) -> bool:
    where, _, number = name.partition("-")
    if where not in ("in", "out") or not number.isdecimal():
        return False
    if where == "in":
        act = inbox.replay if what == "replay" else inbox.discard
        return await database.write(lambda tx: act(tx, int(number)))
    settle = outbox.replay if what == "replay" else outbox.discard
    return await database.write(lambda tx: settle(tx, ParcelId(int(number))))


def _names(name: str, account: Identity) -> tuple[str, ...]:
    """As an operator may call somebody."""
    return name.casefold(), str(account).casefold(), account.account.casefold()


def _sign_in(settings: Settings, options: argparse.Namespace) -> int:
    from bot import main as house

    accounts = [
        (person.name, Identity.parse(str(account)))
        for person in settings.people
        for account in person.identities
        if account.platform == "web"
    ]
    wanted = options.who.casefold()
    identity = next((web for name, web in accounts if wanted in _names(name, web)), None)
    if identity is None:
        known = ", ".join(f"{name} ({web})" for name, web in accounts) or "nobody: give somebody web:name"
        raise SetupError(f"{options.who} cannot sign in here. With a web account there are: {known}.")

    async def work(database: Database) -> str:
        return await house.sign_in_link(settings.web.address, database, identity)

    say(_with_database(settings, work))
    return OK


def _doctor(settings: Settings, options: argparse.Namespace) -> int:
    from bot import doctor

    async def work(database: Database) -> bool:
        return await doctor.report(settings, database, say)

    return OK if _with_database(settings, work, whole=True) else FAILED


def _simulate(settings: Settings, options: argparse.Namespace) -> int:
    from bot import doctor, main, rehearsal, rules
    from core.kernel.clock import WallClock

    told = rules.rules(settings, main.of_feeds(settings, WallClock())[1])
    try:
        at = _moment(options.at, settings.desk.time_zone)
        chosen = rehearsal.chosen(told.policies, told.catalogue, options.policy, options.ticket)
    except ValueError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return WRONG_CONFIG

    async def work(database: Database) -> list[str]:
        Desk(database, told, lambda _: None)

        async def all_of_it(tx: Transaction) -> list[str]:
            before = [doctor.worded(settings, each) for each in await doctor.not_known_yet(tx, settings)]
            lines = [line async for line in rehearsal.told(tx, *chosen, at or tx.now)]
            return [*before, *(doctor.in_words(settings, line) for line in lines)]

        return await database.read(all_of_it)

    for line in _with_database(settings, work):
        say(line)
    return OK


def _moment(told: str | None, zone: str) -> datetime | None:
    """Raises ValueError that says what is valid."""
    if told is None:
        return None
    try:
        read = datetime.fromisoformat(told)
        return (read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{told!r} is no moment; valid is one like '2026-11-27 18:00'") from None


COMMANDS: dict[str, Callable[[Settings, argparse.Namespace], int]] = {
    "run": _run,
    "check-config": _check,
    "migrate": _migrate,
    "backup": _backup,
    "restore": _restore,
    "export": _export,
    "dead-letters": _dead_letters,
    "doctor": _doctor,
    "simulate": _simulate,
    "sign-in": _sign_in,
    "slack-manifest": _slack_manifest,
    "move-database": _move,
}
