"""Logs: one event is one line, and no secret is ever in it."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest

from bot import logs

SECRET = "s3cr3t/with+odd=chars"
TOKEN = "123456789:" + "A1b2C3d4E5" * 3 + "xyzzy"
LIKELY = [
    f"https://api.telegram.org/bot{TOKEN}/getMe",
    f"bot{TOKEN}".replace(":", "%3A"),
    TOKEN,
    "xoxb-1234-abcd",
    "xapp-1-A2-3-f4",
    "postgresql://desk:pa55@db/desk",
]
HIDDEN = [TOKEN[10:], "1234-abcd", "A2-3-f4", "pa55", SECRET]

Log = Callable[[bool], io.StringIO]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """Sets logging up and gives what is written; afterwards all is as before."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    quiet = {
        name: logging.getLogger(name).level for name in ("httpx", "httpcore", "apscheduler", "aiosqlite")
    }

    def setup(as_json: bool) -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr("sys.stderr", stream)
        logs.setup("info", json=as_json, secrets=[SECRET])
        return stream

    yield setup
    root.handlers = before
    root.setLevel(level)
    for name, old in quiet.items():
        logging.getLogger(name).setLevel(old)


@pytest.fixture(params=[True, False], ids=["json", "short"])
def written(request: pytest.FixtureRequest, log: Log) -> Callable[[], list[str]]:
    stream = log(request.param)
    return lambda: stream.getvalue().splitlines()


class Fault(Exception):
    """A failure whose words hold what they should not."""


def test_a_known_secret_is_struck_out_wherever_it_stands(written: Callable[[], list[str]]) -> None:
    logger = logging.getLogger("desk")
    logger.info("message %s", SECRET, extra={"fact": SECRET, "nested": {"a": [SECRET]}})
    logger.info("%(key)s", {"key": SECRET})
    logger.info("quoted https%%3A//host/?key=%s", "s3cr3t%2Fwith%2Bodd%3Dchars")
    try:
        raise Fault(SECRET) from ValueError(SECRET)
    except Fault:
        logger.exception("failed", stack_info=True)
    lines = written()
    assert len(lines) == 4
    assert not any(SECRET in line or "s3cr3t" in line for line in lines)


@pytest.mark.parametrize("text", LIKELY)
def test_what_looks_like_a_token_is_struck_out(written: Callable[[], list[str]], text: str) -> None:
    logging.getLogger("desk").warning("calling %s now", text)
    (line,) = written()
    assert not any(hidden in line for hidden in HIDDEN)
    assert "redacted" in line
    assert "calling" in line
    assert "now" in line


def test_an_ordinary_line_is_left_alone(written: Callable[[], list[str]]) -> None:
    logging.getLogger("desk").info("ticket 42 at 12:30:05 from web:anna, http://127.0.0.1:8080/chat")
    (line,) = written()
    assert "ticket 42 at 12:30:05 from web:anna, http://127.0.0.1:8080/chat" in line


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x85b", "a\ud800b", "a\u202eb"]
)
def test_one_event_is_one_line_whatever_it_holds(written: Callable[[], list[str]], text: str) -> None:
    logger = logging.getLogger("desk")
    logger.info("said %s", text, extra={"fact": text})
    try:
        raise Fault(text)
    except Fault:
        logger.exception(text)
    lines = written()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)


def test_json_lines_hold_the_facts_apart(log: Log) -> None:
    stream = log(True)
    try:
        raise Fault("why")
    except Fault:
        logging.getLogger("desk").exception("it failed", extra={"ticket": 42, "said": "привет"})
    line = json.loads(stream.getvalue())
    assert line["level"] == "ERROR"
    assert (line["logger"], line["message"], line["ticket"], line["said"]) == (
        "desk",
        "it failed",
        42,
        "привет",
    )
    assert line["time"].endswith("+00:00")
    assert "test_logs.py" in line["exception"]
    assert "Fault: why" in line["exception"]


def test_short_lines_say_what_and_where(log: Log) -> None:
    stream = log(False)
    logging.getLogger("desk").info("started", extra={"port": 8080})
    try:
        raise Fault("why")
    except Fault:
        logging.getLogger("desk").exception("it failed")
    started, failed = stream.getvalue().splitlines()
    assert started.endswith(" started port=8080")
    assert " error: it failed | Fault: why at " in failed


def test_a_line_that_cannot_be_written_tells_nothing_of_its_words(log: Log) -> None:
    logging.getLogger().handlers = []
    stream = log(True)
    logging.getLogger("desk").info("%d", SECRET)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("a log line of desk:")
    assert SECRET not in line


def test_chatty_libraries_are_quiet_at_info(written: Callable[[], list[str]]) -> None:
    for name in ("httpx", "httpcore.connection", "aiohttp.access", "apscheduler.executors.default"):
        logging.getLogger(name).info("chatter")
    assert written() == []


def test_setting_up_again_does_not_double_the_lines(log: Log) -> None:
    log(True)
    stream = log(True)
    logging.getLogger("desk").info("once")
    assert len(stream.getvalue().splitlines()) == 1


def test_json_is_the_default_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    log(False)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.setup()
    logging.getLogger("desk").info("hello")
    assert json.loads(stream.getvalue())["message"] == "hello"
    monkeypatch.setattr(stream, "isatty", lambda: True)
    logs.setup()
    logging.getLogger("desk").info("hello")
    assert stream.getvalue().endswith(" hello\n")
