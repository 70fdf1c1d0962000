"""Calendars of others: what their events mean, and how they are fetched, kept and followed."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from bot import cli, doctor, main
from bot.gateways import feeds, ical
from core.kernel.clock import HandClock
from core.oncall import queries
from core.oncall.model import OnCall
from core.sla.model import Promises
from tests import databases
from tests.town import Town
from tests.town import town as opened

BERLIN = ZoneInfo("Europe/Berlin")
STAFF = {"Anna Smirnova": ("anna",), "Boris Orlov": ("boris",)}
TODAY = date(2026, 10, 19)
WEEKLY = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20261019T090000
DTEND;TZID=Europe/Berlin:20261026T090000
RRULE:FREQ=WEEKLY;INTERVAL=2
SUMMARY:Anna Smirnova
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Berlin:20261026T090000
DTEND;TZID=Europe/Berlin:20261102T090000
RRULE:FREQ=WEEKLY;INTERVAL=2
SUMMARY:On call - Boris Orlov - Network
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
RECURRENCE-ID;TZID=Europe/Berlin:20261109T090000
DTSTART;TZID=Europe/Berlin:20261109T120000
DTEND;TZID=Europe/Berlin:20261116T090000
SUMMARY:Boris Orlov
END:VEVENT
END:VCALENDAR
"""


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def calendar(*events: str) -> bytes:
    lines = "".join(
        f"BEGIN:VEVENT\nUID:{place}\nDTSTAMP:20260101T000000Z\n{event}\nEND:VEVENT\n"
        for place, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//y\n{lines}END:VCALENDAR\n".encode()


def turns(raw: bytes) -> ical.Turns:
    return ical.turns(ical.read(raw), BERLIN, TODAY, STAFF)


# ---- what events mean


def test_turns_that_repeat_keep_to_the_wall_also_when_clocks_change_and_exceptions_count() -> None:
    found = turns(WEEKLY.encode()).known
    assert [(each.person, each.since, each.until) for each in found[:4]] == [
        ("Anna Smirnova", local("2026-10-19T09:00"), local("2026-10-26T09:00")),
        ("Boris Orlov", local("2026-10-26T09:00"), local("2026-11-02T09:00")),
        ("Anna Smirnova", local("2026-11-02T09:00"), local("2026-11-09T09:00")),
        ("Boris Orlov", local("2026-11-09T12:00"), local("2026-11-16T09:00")),
    ]
    assert found[0].until - found[0].since == timedelta(days=7, hours=1)


@pytest.mark.parametrize(
    ("lines", "person"),
    [
        ("SUMMARY:anna smirnova", "Anna Smirnova"),
        ("SUMMARY:Boris on call", "Boris Orlov"),
        ("SUMMARY:On call\nATTENDEE;CN=Anna Smirnova:mailto:a@example.org", "Anna Smirnova"),
        ("SUMMARY:On call\nATTENDEE:mailto:boris.orlov@example.org", "Boris Orlov"),
        ("SUMMARY:On call\nATTENDEE:mailto:x@example.org\nATTENDEE:MAILTO:Anna@example.org", "Anna Smirnova"),
        ("SUMMARY:Bananna", None),
        ("SUMMARY:Olga Belova", None),
    ],
)
def test_whom_an_event_means(lines: str, person: str | None) -> None:
    found = turns(calendar(f"DTSTART:20261020T080000Z\nDTEND:20261020T200000Z\n{lines}"))
    assert [each.person for each in found.known] == ([person] if person else [])
    assert bool(found.unknown) == (person is None)


def test_whole_days_and_hours_without_a_zone_are_those_of_the_rota() -> None:
    found = turns(
        calendar(
            "DTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261026\nSUMMARY:Anna Smirnova",
            "DTSTART:20261027T090000\nDURATION:PT2H\nSUMMARY:Boris Orlov",
            "DTSTART:20261028T090000\nDTEND:20261028T100000\nSTATUS:CANCELLED\nSUMMARY:Boris Orlov",
        )
    ).known
    assert [(each.since, each.until) for each in found] == [
        (local("2026-10-24T00:00"), local("2026-10-26T00:00")),
        (local("2026-10-27T09:00"), local("2026-10-27T11:00")),
    ]


def test_days_off_are_the_whole_day_events() -> None:
    raw = calendar(
        "DTSTART;VALUE=DATE:20250501\nRRULE:FREQ=YEARLY\nSUMMARY:May Day",
        "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Christmas",
        "DTSTART:20261102T090000Z\nDTEND:20261102T100000Z\nSUMMARY:A meeting",
    )
    assert ical.days(ical.read(raw), TODAY) == {
        *(date(year, 5, 1) for year in range(2025, 2030)),
        *(date(2026, 12, day) for day in (24, 25, 26)),
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>Please sign in</html>",
        b"BEGIN:VEVENT\nEND:VEVENT\n",
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
        b"\xff\xfe\x00",
        calendar("DTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:Anna Smirnova"),
        calendar("DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;BYMINUTE=1,2,3\nSUMMARY:Anna Smirnova"),
    ],
)
def test_what_is_no_calendar_or_would_never_end_is_refused(raw: bytes) -> None:
    with pytest.raises(ical.Unreadable):
        turns(raw)


@pytest.mark.parametrize(
    "lines",
    [
        "DTSTART:nonsense",
        "SUMMARY:without a beginning",
        "DTSTART:99991231T235959Z",
        "DTSTART:20261020T080000Z\nRRULE:FREQ=NONSENSE",
        "DTSTART:20261020T080000Z\nDTEND:nonsense",
        "DTSTART:20261020T080000Z\nRRULE:FREQ=DAILY;UNTIL=nonsense",
        "DTSTART:00010101T000000\nDTEND:99991231T235959\nSUMMARY:Boris Orlov",
        "DTSTART;VALUE=DATE:20261020\nDTEND;VALUE=DATE:99991231\nSUMMARY:Boris Orlov",
    ],
)
def test_an_event_that_means_nothing_leaves_the_others_alone(lines: str) -> None:
    good = "DTSTART:20261020T080000Z\nDTEND:20261020T200000Z\nSUMMARY:Anna Smirnova"
    assert [each.person for each in turns(calendar(good, lines)).known] == ["Anna Smirnova"]


def test_of_a_flood_of_events_the_first_ones_are_made_and_no_more() -> None:
    daily = "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY\nSUMMARY:Anna Smirnova"
    days_off = ical.days(ical.read(calendar(*[daily] * 1000)), TODAY)
    assert min(days_off) == date(TODAY.year - 1, 1, 1)
    assert max(days_off) < date(TODAY.year - 1, 3, 31)
    assert len(turns(calendar(*[daily] * 60)).known) == ical.MOST


def test_more_events_than_anybody_has_are_refused() -> None:
    single = "DTSTART;VALUE=DATE:20261020\nSUMMARY:Anna Smirnova"
    with pytest.raises(ical.Unreadable, match="more than 5000 events"):
        turns(calendar(*[single] * (ical.MOST + 1)))


def test_an_event_over_the_edge_of_a_look_is_one() -> None:
    raw = calendar("DTSTART:20261019T080000Z\nDTEND:20261125T080000Z\nSUMMARY:Anna Smirnova")
    assert len(turns(raw).known) == 1


# ---- fetched over HTTP

DESK = """
[desk]
time_zone = "Europe/Berlin"
[[people]]
name = "Anna Smirnova"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris Orlov"
identities = ["web:boris"]
roles = ["lead"]
[[queues]]
name = "support"
[[rotas]]
name = "Network"
ical = "{rota}"
[[calendars]]
name = "office"
hours = ["daily 9:00-17:00"]
ical = "{days}"
[[targets]]
first_response = "1h"
calendar = "office"
"""


@dataclass
class Server:
    """Serves one calendar, on loopback."""

    port: int = 0
    body: bytes = WEEKLY.encode()
    etag: str = '"1"'
    status: int = 200
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/secret-address.ics"

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.headers.get("If-None-Match", ""))
        if self.status == 200 and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers={"ETag": self.etag})


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server, site = Server(), web.Application()
    site.router.add_get("/secret-address.ics", server.answer)
    runner = web.AppRunner(site)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.port = runner.addresses[0][1]
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as found:
        yield found


@pytest.fixture
async def town(tmp_path: Path, server: Server) -> AsyncIterator[Town]:
    clock = HandClock(local("2026-10-20T12:00"))
    (tmp_path / "days.ics").write_bytes(calendar("DTSTART;VALUE=DATE:20261021\nSUMMARY:Off"))
    toml = DESK.format(rota=server.url, days=tmp_path / "days.ics")
    async with opened(tmp_path, toml, clock) as found:
        yield found


async def read_anew(house: main.House) -> None:
    house.feeds.look()
    await house.feeds.fetch()
    await house.changed()


async def on_call(town: Town, at: str) -> list[str]:
    found = await town.database.read(lambda tx: queries.on_call(tx, "support", at=local(at)))
    return [person.name for person in found]


async def test_a_rota_follows_its_feed_across_changed_clocks(town: Town) -> None:
    assert await on_call(town, "2026-10-20T12:00") == []
    await read_anew(town.house)
    assert await on_call(town, "2026-10-26T08:59") == ["Anna Smirnova"]
    assert await on_call(town, "2026-10-26T09:00") == ["Boris Orlov"]
    assert await on_call(town, "2026-11-09T10:00") == []


async def test_whoever_comes_on_call_by_a_feed_is_told_and_feeds_that_change_are_followed(
    town: Town, server: Server
) -> None:
    await town.settle()
    await read_anew(town.house)
    await town.settle()
    assert any("You are on call for Network" in each for each in await town["anna"].hears())
    server.body, server.etag = WEEKLY.replace("Anna Smirnova", "Boris").encode(), '"2"'
    await read_anew(town.house)
    await town.settle()
    assert any("is over; now it is Boris Orlov" in each for each in await town["anna"].hears())
    assert any("You are on call for Network" in each for each in await town["boris"].hears())


async def test_what_did_not_change_is_not_sent_again(town: Town, server: Server) -> None:
    await read_anew(town.house)
    await read_anew(town.house)
    assert server.asked == ["", '"1"']
    assert await on_call(town, "2026-10-20T12:00") == ["Anna Smirnova"]


@pytest.mark.parametrize("trouble", ["gone", "hasty", "page", "large", "down"])
async def test_the_last_good_copy_outlives_trouble_and_a_restart_without_network(
    town: Town, server: Server, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    await read_anew(town.house)
    server.etag = '"3"'
    match trouble:
        case "gone":
            server.status = 404
        case "page":
            server.body = b"<html>Please sign in</html>"
        case "hasty":
            server.body = calendar("DTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY\nSUMMARY:Anna Smirnova")
        case "large":
            server.body = b"x" * (feeds.LARGEST + 1)
        case "down":
            next(iter(town.house.feeds.all.values())).etag = ""
            server.status = 500
    await read_anew(town.house)
    assert await on_call(town, "2026-10-20T12:00") == ["Anna Smirnova"]
    health = town.house.health()["feeds"]
    assert health.ok
    assert health.note.startswith("rota 'Network': ")
    assert "secret-address" not in health.note + caplog.text
    await town.restart()
    assert await on_call(town, "2026-10-20T12:00") == ["Anna Smirnova"]
    kept = list((town.path.parent / "feeds").iterdir())
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600]
    server.status, server.body = 200, WEEKLY.encode()
    await read_anew(town.house)
    assert town.house.health()["feeds"].note == ""


async def test_names_that_nobody_here_has_are_reported_and_the_others_count(
    town: Town, server: Server
) -> None:
    server.body = WEEKLY.replace("SUMMARY:Anna Smirnova", "SUMMARY:Olga Belova").encode()
    await read_anew(town.house)
    note = "rota 'Network': 1 title names nobody who works here; `deskbridge doctor` tells them"
    assert town.house.health()["feeds"].note == note
    assert await on_call(town, "2026-10-26T09:00") == ["Boris Orlov"]


async def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rota.ics")
    known = feeds.Feeds.of({str(tmp_path / "rota.ics"): "rota 'Network'"}, tmp_path)
    assert known.troubles() == ["rota 'Network': it is no file"]


async def test_days_off_are_read_from_a_file_and_again_when_it_changes(town: Town) -> None:
    def is_open(day: str) -> bool:
        promises = town.database.rules[Promises]
        assert isinstance(promises, Promises)
        return promises.calendar("office").is_open(local(f"{day}T12:00"))

    assert (is_open("2026-10-20"), is_open("2026-10-21"), is_open("2026-10-22")) == (True, False, True)
    file = town.path.parent / "days.ics"
    file.write_bytes(calendar("DTSTART;VALUE=DATE:20261022\nDTEND;VALUE=DATE:20261025\nSUMMARY:Off"))
    await read_anew(town.house)
    assert (is_open("2026-10-20"), is_open("2026-10-21"), is_open("2026-10-22")) == (True, True, False)
    file.unlink()
    await read_anew(town.house)
    assert not is_open("2026-10-22")
    assert "calendar 'office': the file cannot be read" in town.house.health()["feeds"].note


async def test_the_desk_reads_its_feeds_by_itself(town: Town) -> None:
    told = asyncio.Event()

    async def changed() -> None:
        await town.house.changed()
        told.set()

    reading = asyncio.create_task(town.house.feeds.run(changed))
    await asyncio.wait_for(told.wait(), 20)
    reading.cancel()
    assert await on_call(town, "2026-10-20T12:00") == ["Anna Smirnova"]


async def test_the_doctor_says_which_feeds_can_be_read_and_whom_nobody_knows(
    town: Town, server: Server
) -> None:
    async def found() -> list[tuple[bool | None, str]]:
        examined = doctor.examine(town.settings, town.database)
        return [(each.ok, doctor.worded(town.settings, each)[2:]) async for each in examined]

    server.body = WEEKLY.replace("SUMMARY:Anna Smirnova", "SUMMARY:Olga Belova").encode()
    told = await found()
    assert (True, "The calendar of rota 'Network' can be read.") in told
    unknown = "The calendar of rota “Network” names nobody who works here in: Olga Belova."
    assert [ok for ok, line in told if line.startswith(unknown)] == [False]
    server.status, server.etag = 500, '"4"'
    trouble = "rota 'Network': its calendar cannot be read: the server answers 500."
    assert (False, trouble) in await found()
    assert "secret-address" not in str(await found())


ASKS = """
[[escalations]]
name = "usual"
steps = [{ after = "5m", of = "unclaimed", whom = "on-call" }]
"""


async def test_simulate_asks_whom_the_feed_says(
    town: Town, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    config = town.path.parent / "desk.toml"
    days = town.path.parent / "days.ics"
    database = f'[database]\nurl = "{databases.url(town.path)}"\n'
    rota = DESK.format(rota=town.path.parent / "rota.ics", days=days)
    begin = datetime.now(UTC).replace(microsecond=0)
    turn = f"DTSTART:{begin:%Y%m%dT%H%M%SZ}\nDURATION:P3D\nSUMMARY:Boris Orlov"
    (town.path.parent / "rota.ics").write_bytes(calendar(turn))
    config.write_text(database + rota + ASKS)
    at = f"{begin + timedelta(hours=1):%Y-%m-%dT%H:%M}+00:00"
    words = ["simulate", "--config", str(config), "--ticket", "normal", "--at", at]
    assert await asyncio.to_thread(cli.main, words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("Step 1: asks Boris Orlov.")
    assert f"{(begin + timedelta(hours=1)).astimezone(BERLIN):%H:%M}  A ticket" in lines[0]


async def test_the_doctor_proves_by_what_it_has_just_read(tmp_path: Path, server: Server) -> None:
    server.body = calendar("DTSTART:20261019T080000Z\nDURATION:P30D\nSUMMARY:Boris Orlov")
    toml = DESK.format(rota=server.url, days=tmp_path / "days.ics")
    async with opened(tmp_path, toml, HandClock(local("2026-10-20T12:00"))) as town:
        async for _ in doctor.examine(town.settings, town.database):
            pass
        oncall = town.database.rules[OnCall]
        assert isinstance(oncall, OnCall)
        [rota] = oncall.rotas
        assert rota.on_call(local("2026-10-21T12:00")) == "Boris Orlov"
