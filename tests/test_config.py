"""The configuration: what is read, what wins, and how every mistake is named at once."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot import config
from bot.config import model, problems, sources
from bot.rules import rules as rules_of
from bot.rules import unkeepable
from core.kernel.errors import SetupError
from core.kernel.ids import Address, Identity
from core.people.model import Role
from core.tickets import priorities
from core.tickets.catalogue import LADDER, Priority

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
TOKEN = "123456789:" + "A1b2C3d4E5" * 3 + "xyzzy"

PEOPLE = """
[[people]]
name = "Olga"
identities = ["web:olga"]
roles = ["agent"]
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str, name: str = "desk.toml", mode: int = 0o600) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    return write


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No config.toml of the developer's is read by accident."""
    monkeypatch.chdir(tmp_path)


def wrong(path: Path | None, environ: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        config.load(path, environ or {})
    assert isinstance(caught.value, SetupError)
    assert all(line in str(caught.value) and "\n" not in line for line in caught.value.problems)
    return caught.value.problems


# What is read


def test_without_a_file_the_demo_is_the_desk() -> None:
    settings = config.load(None, {})
    assert settings.demo
    assert settings.source is None
    assert [person.name for person in settings.people] == [
        "Ivan Petrov",
        "Anna Smirnova",
        "Boris Orlov",
        "Maria Sokolova",
    ]
    ivan, anna, boris, maria = settings.people
    assert ivan.roles == {Role.REQUESTER}
    assert not ivan.queues
    assert anna.queues == boris.queues == maria.queues == ("support", "network")
    assert maria.roles == {Role.LEAD, Role.ADMIN}
    assert settings.desk.rating_every == timedelta(0)


def test_the_demo_pings_two_agents_and_the_lead_within_a_minute() -> None:
    for priority in (Priority.CRITICAL, Priority.HIGH):
        policy = next(each for each in config.load(None, {}).escalations if priority in each.priorities)
        chain = [(step.after.seconds, step.whom) for step in policy.steps if step.of == "unclaimed"]
        assert chain == [(15, "agents"), (30, "agents"), (45, "lead")]


def test_the_demo_sends_a_vpn_to_the_network_queue() -> None:
    settings = config.load(None, {})
    network = next(kind for kind in settings.request_types if "vpn" in kind.keywords)
    assert network.queue == "network"
    assert {kind.queue for kind in settings.request_types if kind is not network} == {"support"}


def test_the_environment_lies_over_the_demo_as_well() -> None:
    settings = config.load(None, {"DESKBRIDGE_WEB__PORT": "9001", "DESKBRIDGE_DESK__LANGUAGE": "ru"})
    assert settings.demo
    assert settings.web.port == 9001
    assert {person.language for person in settings.people} == {"ru"}


def test_config_toml_is_read_where_it_is_there(write: Write) -> None:
    write("[web]\nport = 9002", "config.toml")
    settings = config.load(None, {})
    assert settings.web.port == 9002
    assert settings.source == Path("config.toml")


def test_a_file_without_people_keeps_the_demos_people_and_its_own_queues(write: Write) -> None:
    settings = config.load(write('[[queues]]\nname = "it"'), {})
    assert settings.demo
    assert [queue.name for queue in settings.queues] == ["it"]
    assert settings.people[1].queues == ("it",)
    assert {kind.queue for kind in settings.request_types} == {"it"}


def test_a_file_with_people_is_no_demo_and_gets_the_defaults(write: Write) -> None:
    settings = config.load(write(PEOPLE), {})
    assert not settings.demo
    (queue,) = settings.queues
    assert (queue.name, queue.spaces) == ("support", (Address("web", "support"),))
    names = [kind.name for kind in settings.request_types]
    assert names == ["access", "hardware", "software", "network", "other"]
    assert settings.sla.critical.first_response == timedelta(minutes=15)
    assert settings.escalations
    assert settings.desk.rating_every == timedelta(days=7)
    assert settings.people[0].identities == (Identity("web", "olga"),)


def test_every_default_text_stands_in_both_languages() -> None:
    for kind in config.load(None, {}).request_types:
        texts = [kind.title, *(question.text for question in kind.questions)]
        texts += [option for question in kind.questions for option in question.options]
        assert all(re.search("[а-я]", text["ru"]) for text in texts)
        assert all(text["en"].isascii() for text in texts)


def test_the_environment_wins_over_the_file(write: Write) -> None:
    path = write('[web]\nport = 1\nhost = "localhost"\n[desk]\nname = "File"')
    settings = config.load(path, {"DESKBRIDGE_WEB__PORT": "2", "UNRELATED": "3"})
    assert (settings.web.port, settings.web.host, settings.desk.name) == (2, "localhost", "File")


def test_one_given_target_leaves_the_others_as_they_are(write: Write) -> None:
    environ = {"DESKBRIDGE_SLA__HIGH__RESOLUTION": "9h"}
    sla = config.load(write(PEOPLE + '[sla.high]\nfirst_response = "7m"'), environ).sla.high
    assert (sla.first_response, sla.next_response, sla.resolution) == (
        timedelta(minutes=7),
        timedelta(hours=2),
        timedelta(hours=9),
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(days=7)),
        ("0s", timedelta(0)),
    ],
)
def test_a_length_of_time_is_written_as_people_say_it(said: str, meant: timedelta) -> None:
    assert config.load(None, {"DESKBRIDGE_DESK__REOPEN_FOR": said}).desk.reopen_for == meant


@pytest.mark.parametrize("url", ["sqlite:///a b/desk.db", "sqlite+aiosqlite:///a b/desk.db"])
def test_both_forms_of_the_database_url_mean_the_same_file(url: str) -> None:
    settings = config.load(None, {"DESKBRIDGE_DATABASE__URL": url})
    assert settings.database.url == "sqlite+aiosqlite:///a b/desk.db"
    assert settings.database.place == Path("a b/desk.db")
    assert settings.files_dir == Path("a b/files")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://x:hunter2@y/z",
        "postgresql+asyncpg://desk:hunter2@y/",
        "postgresql+asyncpg://desk:hunter2@y:abc/z",
        "postgresql+asyncpg://desk:hunter2@y:70000/z",
        "postgresql+asyncpg://desk:hunter2@x:5432,y:0/z",
    ],
)
def test_a_wrong_database_url_is_answered_with_a_form_that_can_be_read(url: str) -> None:
    with pytest.raises(config.ConfigError) as told:
        config.load(None, {"DESKBRIDGE_DATABASE__URL": url})
    assert "postgresql+asyncpg://user@host" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_text_is_one_for_all_languages_or_one_for_each(write: Write) -> None:
    path = write(
        '[[queues]]\nname = "a"\ntitle = "Both"\n'
        '[[queues]]\nname = "b"\ntitle = { en = "B", ru = "Б" }\n'
        '[[queues]]\nname = "c"\ntitle = { ru = "В" }\n[[queues]]\nname = "d"\n'
    )
    titles = [dict(queue.title) for queue in config.load(path, {}).queues]
    assert titles == [
        {"en": "Both", "ru": "Both"},
        {"en": "B", "ru": "Б"},
        {"en": "В", "ru": "В"},
        {"en": "d", "ru": "d"},
    ]


@pytest.mark.parametrize(
    ("urgency", "impact", "priority"),
    [("high", "high", "critical"), ("critical", "high", "critical"), ("normal", "low", "low")],
)
def test_impact_raises_or_lowers_the_urgency(write: Write, urgency: str, impact: str, priority: str) -> None:
    path = write(
        f'[[request_types]]\nname = "a"\ntitle = "A"\nqueue = "network"\n'
        f'urgency = "{urgency}"\nimpact = "{impact}"'
    )
    catalogue = rules_of(config.load(path, {})).catalogue
    weight = priorities.weight(catalogue.types["a"], None)
    assert priorities.weigh(catalogue, weight, vip=False) is Priority(priority)


def test_the_matrix_left_out_is_a_ladder_and_one_row_of_it_can_be_given(write: Write) -> None:
    assert rules_of(config.load(None, {})).catalogue.matrix == LADDER
    given = rules_of(config.load(write('[priorities.matrix]\nlow = { high = "high" }'), {})).catalogue.matrix
    assert given == {**LADDER, Priority.LOW: {"high": "high", "normal": "low", "low": "low"}}


def test_the_address_of_the_page_is_one_a_browser_can_open() -> None:
    assert config.load(None, {"DESKBRIDGE_WEB__HOST": "0.0.0.0"}).web.address == "http://127.0.0.1:8080"
    assert config.load(None, {"DESKBRIDGE_WEB__HOST": "::1"}).web.address == "http://[::1]:8080"
    environ = {"DESKBRIDGE_WEB__PUBLIC_URL": "https://desk.example.org/"}
    assert config.load(None, environ).web.address == "https://desk.example.org"


def test_settings_are_frozen() -> None:
    settings = config.load(None, {})
    with pytest.raises(ValueError, match="frozen"):
        settings.web.port = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.people[0].identities[0].account = "x"  # type: ignore[misc]


# Secrets


def test_a_secret_comes_from_the_file_the_environment_or_a_file_of_its_own(write: Write) -> None:
    secret = write(f"{TOKEN}\n", "token")
    named = write(f'[telegram]\ntoken_file = "{secret}"')
    for settings in (
        config.load(write(f'[telegram]\ntoken = "{TOKEN}"', "inline.toml"), {}),
        config.load(None, {"DESKBRIDGE_TELEGRAM__TOKEN": TOKEN}),
        config.load(named, {}),
        config.load(None, {"DESKBRIDGE_TELEGRAM__TOKEN_FILE": str(secret)}),
    ):
        assert settings.telegram.token is not None
        assert settings.telegram.token.get_secret_value() == TOKEN
        assert settings.secrets == (TOKEN,)
        assert TOKEN not in repr(settings) + str(settings.model_dump())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_may_read_or_change_is_refused(write: Write, mode: int) -> None:
    write(TOKEN, "token", mode)
    (line,) = wrong(write('[telegram]\ntoken_file = "token"'))
    assert line.startswith("telegram.token_file:")
    assert "chmod 600" in line


@pytest.mark.parametrize("content", ["", "  \n", "two words", "x" * 70_000])
def test_a_file_that_holds_no_secret_is_refused(write: Write, content: str) -> None:
    write(content, "token")
    lines = wrong(write('[telegram]\ntoken_file = "token"'))
    assert all(line.startswith("telegram.token") for line in lines)


def test_a_file_that_is_missing_or_a_directory_is_refused(write: Write, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("nowhere", "folder", "nul\\u0000"):
        lines = wrong(write(f'[telegram]\ntoken_file = "{name}"'))
        assert all(line.startswith("telegram.token_file:") for line in lines)


def test_a_secret_given_twice_is_refused(write: Write) -> None:
    write(TOKEN, "token")
    (line,) = wrong(write(f'[telegram]\ntoken = "{TOKEN}"\ntoken_file = "token"'))
    assert line.startswith("telegram.token: is given twice")


def test_no_problem_ever_shows_a_secret(write: Write) -> None:
    secret, hook, signing = f"{TOKEN} ", "h00k/with/slash", "s1gn"
    text = f"""
        {TOKEN[10:]} = "x"
        [database]
        url = "mysql://desk:pa55word@db/desk"
        [telegram]
        token = "{secret}"
        webhook_secret = "{hook}"
        mode = "{TOKEN}"
        tokn = "{TOKEN}"
        [slack]
        bot_token = ["xoxb-{TOKEN[10:]}"]
        signing_secret = "{signing}"
        [[people]]
        name = "{secret}\\n"
        identities = ["{TOKEN}", "telegarm:{TOKEN}"]
        queues = ["{TOKEN}"]
        """
    environ = {"DESKBRIDGE_WEB__PORT": TOKEN, f"DESKBRIDGE_{TOKEN}": TOKEN}
    said = "\n".join(wrong(write(text), environ))
    for word in (TOKEN, hook, signing, "pa55word", "xoxb-"):
        assert word not in said
    assert said.count("\n") >= 9


def test_a_step_before_a_promise_repeats_until_so_long_after_it(write: Write) -> None:
    text = """
        [[escalations]]
        name = "e"
        steps = [{ before = "15m", of = "resolution", whom = "lead", repeat = "5m", until = "1h" }]
    """
    (step,) = config.load(write(text), {}).escalations[0].steps
    assert step.times_in_all == 16


# What is wrong

VALID_PERSON = '[[people]]\nname = "A"\nidentities = ["web:a"]\n'

WRONG = [
    ("[telegarm]\ntoken = '1'", "telegarm", "did you mean 'telegram'"),
    ("[telegram]\ntokn = '1'", "telegram.tokn", "did you mean 'token'"),
    ("port = 1", "port", "unknown"),
    ("_env_file = '.env'", "_env_file", "unknown"),
    ("[telegram]\ntoken = ''", "telegram.token", "must not be empty"),
    ("[telegram]\ntoken = 'hello'", "telegram.token", "BotFather"),
    ("[telegram]\ntoken = 5", "telegram.token", "must be a"),
    ("[telegram]\nmode = 'webhok'", "telegram.mode", "'polling' or 'webhook'"),
    (f"[telegram]\nmode = 'webhook'\ntoken = '{TOKEN}'", "telegram.webhook_secret", "is missing"),
    (f"[telegram]\nmode = 'webhook'\ntoken = '{TOKEN}'", "web.public_url", "is missing"),
    ("[telegram]\nwebhook_secret = 'long-enough'", "telegram.token", "is missing"),
    ("[telegram]\nwebhook_secret = 'short'", "telegram.webhook_secret", "8-256"),
    ("[telegram]\napi_url = 'api.telegram.org'", "telegram.api_url", "https://"),
    ("[slack]\nbot_token = 'xoxb-1'", "slack.app_token", "is missing"),
    ("[slack]\nmode = 'http'\nbot_token = 'xoxb-1'", "slack.signing_secret", "is missing"),
    ("[slack]\nbot_token = 'xapp-1'\napp_token = 'xapp-1'", "slack.bot_token", "xoxb-"),
    ("[slack]\nsigning_secret = ''", "slack.signing_secret", "must not be empty"),
    ("web = 5", "web", "must be a table"),
    ("people = 'Anna'", "people", "must be a list"),
    ("[web]\nport = 99999", "web.port", "less than or equal to 65535"),
    ("[web]\nport = true", "web.port", "whole number"),
    ("[web]\nport = 'http'", "web.port", "whole number"),
    ("[web]\nhost = 'a b'", "web.host", "127.0.0.1"),
    ("[web]\npublic_url = 'ftp://a'", "web.public_url", "https://desk.example.org"),
    ("[web]\npublic_url = 'https://u:p@a'", "web.public_url", "without a password"),
    ("[web]\npublic_url = 'https://a:port'", "web.public_url", "https://desk.example.org"),
    ("[web]\nproxies = 'proxy.example.org'", "web.proxies", "10.0.0.0/8"),
    ("[web]\nproxies = ['10.1.2.3/8']", "web.proxies", "10.0.0.0/8"),
    ("[web]\nproxies = [10]", "web.proxies", "10.0.0.0/8"),
    ("[web]\nvisitors = 'maybe'", "web.visitors", "true or false"),
    ("[web]\nfile_limit = '1TB'", "web.file_limit", "25MB"),
    ("[web]\nfile_limit = 0", "web.file_limit", "from 1KB"),
    ("[database]\nurl = 'postgresql+asyncpg://a'", "database.url", "the name of a database"),
    ("[database]\nurl = 'postgresql+psycopg://a/b'", "database.url", "postgresql+asyncpg://"),
    ("[database]\nurl = 'sqlite:///:memory:'", "database.url", "name a file"),
    ("[database]\nurl = 'mysql://a'", "database.url", "sqlite+aiosqlite:///"),
    ("[desk]\nlanguage = 'de'", "desk.language", "'en' or 'ru'"),
    ("[desk]\ntime_zone = 'Europe/Moskow'", "desk.time_zone", "did you mean 'Europe/Moscow'"),
    ("[desk]\ntime_zone = '../etc'", "desk.time_zone", "IANA"),
    ('[desk]\nname = "a\\nb"', "desk.name", "one line"),
    ("[desk]\nfiles = ''", "desk.files", "must be a path"),
    ("[desk]\nclose_after = '3'", "desk.close_after", "'15m'"),
    ("[desk]\nclose_after = '0s'", "desk.close_after", "longer than nothing"),
    ("[desk]\nclose_after = '999999999w'", "desk.close_after", "ten years"),
    ("[desk]\nclose_after = 3", "desk.close_after", "'15m'"),
    ("[desk]\nkeep_events_days = 6", "desk.keep_events_days", "greater than or equal to 7"),
    ("[desk]\nkeep_events_days = '30d'", "desk.keep_events_days", "whole number"),
    ("[[calendars]]\nname = 'o'\nhours = ['monday 9-18']", "calendars[0].hours", "mon-fri 9:00-13:00"),
    ("[[calendars]]\nname = 'o'\nhours = ['mon 9-25']", "calendars[0].hours", "from 0:00 to 24:00"),
    ("[[calendars]]\nname = 'o'\nhours = ['mon 9-9']", "calendars[0].hours", "from 0:00 to 24:00"),
    ("[[calendars]]\nname = 'o'\nhours = []", "calendars[0].hours", "in a list"),
    ("[[calendars]]\nname = 'o'\nhours = ['mon 9-18']\nholidays = 'XX'", "calendars[0].holidays", "'RU'"),
    ("[[calendars]]\nname = 'o'\nhours = ['mon 9-18']\nholidays = 'DE-XX'", "calendars[0].holidays", "BY"),
    (
        "[[calendars]]\nname = 'o'\nhours = ['mon 9-18']\nclosed = ['1.5.']",
        "calendars[0].closed[0]",
        "2026-12-31",
    ),
    ("[[calendars]]\nname = 'always'\nhours = ['mon 9-18']", "calendars[0].name", "never closes"),
    ("[[targets]]\ncalendar = 'ofice'", "targets[0].calendar", "always"),
    ("[[targets]]\ntypes = ['acess']", "targets[0].types[0]", "'access'"),
    ("[[targets]]\nqueues = ['suport']", "targets[0].queues[0]", "'support'"),
    ("[sla.urgent]\nfirst_response = '1h'", "sla.urgent", "unknown"),
    ("[sla.high]\nfirst_respons = '1h'", "sla.high.first_respons", "did you mean 'first_response'"),
    ("[[people]]\nname = 'A'", "people[0].identities", "is missing"),
    ("[[people]]\nname = 'A'\nidentities = []", "people[0].identities", "at least 1"),
    (f"{VALID_PERSON}roles = []", "people[0].roles", "at least 1"),
    (f"{VALID_PERSON}roles = ['agnet']", "people[0].roles[0]", "'agent'"),
    (f"{VALID_PERSON}role = 'agent'", "people[0].role", "did you mean 'roles'"),
    (f"{VALID_PERSON}queues = ['suport']", "people[0].queues[0]", "did you mean 'support'"),
    (f"{VALID_PERSON}languages = ['fr']", "people[0].languages[0]", "'en' or 'ru'"),
    (f"{VALID_PERSON}{VALID_PERSON}", "people[1].name", "used already by people[0].name"),
    (f"{VALID_PERSON}{VALID_PERSON}", "people[1].identities[0]", "people[0].identities[0]"),
    ("[[people]]\nname = 'lead'\nidentities = ['web:a']", "people[0].name", "meaning of its own"),
    ("[[people]]\nname = 'A'\nidentities = ['anna']", "people[0].identities[0]", "platform:account"),
    ("[[people]]\nname = 'A'\nidentities = [7]", "people[0].identities[0]", "telegram:123"),
    ("[[people]]\nname = 'A'\nidentities = ['slak:1']", "people[0].identities[0]", "did you mean 'slack'"),
    ("[[people]]\nname = 'A'\nidentities = ['telegram:@a']", "people[0].identities[0]", "never a user name"),
    ("[[queues]]\nname = 'IT desk'", "queues[0].name", "a-z"),
    ("[[queues]]\nname = 'a'\n[[queues]]\nname = 'a'", "queues[1].name", "used already"),
    ("[[queues]]\nname = 'a'\nspaces = []", "queues[0].spaces", "at least 1"),
    ("[[queues]]\nname = 'a'\nspaces = ['web:a#1']", "queues[0].spaces[0]", "must be a room"),
    ("[[queues]]\nname = 'a'\nplain_text = 'public'", "queues[0].plain_text", "'note' or 'reply'"),
    ("[[queues]]\nname = 'a'\ntitle = { de = 'A' }", "queues[0].title", "en, ru"),
    ("queues = []", "queues", "at least 1"),
    ("request_types = []", "request_types", "at least 1"),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\nqueue = 'b'",
        "request_types[0].queue",
        "there is no queue",
    ),
    ("[[request_types]]\nname = 'a'\ntitle = 'A'\nimpact = 'huge'", "request_types[0].impact", "'high'"),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\nask_impact = true\n"
        "questions = [" + ",".join(f"{{name='q{n}', text='?'}}" for n in range(4)) + "]",
        "request_types[0].questions",
        "at most 3",
    ),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\nask_impact = true\n"
        "questions = [{name='impact', text='?'}]",
        "request_types[0].questions[0].name",
        "'ask_impact'",
    ),
    ("[priorities.matrix]\nhigh = 'high'", "priorities.matrix.high", "high, normal, low"),
    ("[priorities.matrix]\nhigh = { high = 'huge' }", "priorities.matrix.high", "critical, high"),
    ("[priorities.matrix]\nhigh = { hgh = 'high' }", "priorities.matrix.high", "high, normal, low"),
    ("[priorities.matrix]\nhuge = { high = 'high' }", "priorities.matrix.huge", "unknown"),
    ("[emergency]\nhours = 'nights'", "emergency.hours", "'closed' or 'always'"),
    ("[emergency]\nenabled = 'perhaps'", "emergency.enabled", "true or false"),
    (f"{VALID_PERSON}vip = 'very'", "people[0].vip", "true or false"),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\nquestions = [{name='q', text='?', kind='choice'}]",
        "request_types[0].questions[0].options",
        "at least two",
    ),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\n"
        "questions = [{name='q', text='?', kind='text', options=['a']}]",
        "request_types[0].questions[0].kind",
        "'choice'",
    ),
    (
        "[[request_types]]\nname = 'a'\ntitle = 'A'\nquestions = [" + "{name='q', text='?'}," * 5 + "]",
        "request_types[0].questions",
        "at most 4",
    ),
    ("[[escalations]]\nname = 'a'\nsteps = []", "escalations[0].steps", "at least 1"),
    (
        "[[escalations]]\nname = 'a'\nsteps = [{after='1m', of='unclaimed', whom='Ana'}]\n"
        "[[people]]\nname = 'Anna'\nidentities = ['web:a']\nroles = ['lead']",
        "escalations[0].steps[0].whom",
        "did you mean 'Anna'",
    ),
    (
        "[[escalations]]\nname = 'a'\nsteps = [{after='1m', of='unclaimed', whom='lead', repeat='1m'}]",
        "escalations[0].steps[0].times",
        "2 or more",
    ),
    (
        "[[escalations]]\nname = 'a'\nsteps = [{after='1m', of='unclaimed', whom='lead', times=3}]",
        "escalations[0].steps[0].repeat",
        "is missing",
    ),
    (
        "[[escalations]]\nname = 'a'\nsteps = [{after='1m', of='ignored', whom='lead'}]",
        "escalations[0].steps[0].of",
        "'unclaimed'",
    ),
    ("[[rotas]]\nname = 'r'", "rotas[0].layers", "'ical'"),
    (
        "[[rotas]]\nname = 'r'\nlayers = [{people=[], starts='2026-01-01'}]",
        "rotas[0].layers[0].people",
        "at least 1",
    ),
    (
        f"{PEOPLE}[[rotas]]\nname = 'r'\nlayers = [{{people=['Olg'], starts='2026-01-01'}}]",
        "rotas[0].layers[0].people[0]",
        "did you mean 'Olga'? (staff: Olga)",
    ),
    (
        f"{PEOPLE}[[people]]\nname='Ivan'\nidentities=['web:i']\n[[levels]]\nlevel='L2'\npeople=['Ivan']",
        "levels[0].people[0]",
        "no agent, lead or admin (staff: Olga)",
    ),
    ("[[levels]]\nlevel='L4'\npeople=['Anna']", "levels[0].level", "'L1', 'L2' or 'L3'"),
    (
        "[[rotas]]\nname = 'r'\nical = 'a.ics'\nqueues = ['nett']",
        "rotas[0].queues[0]",
        "queues: support, network",
    ),
    (
        "[[rotas]]\nname = 'r'\nical = 'a'\n[[rotas]]\nname = 'r'\nical = 'b'",
        "rotas[1].name",
        "a name of its own",
    ),
    (
        "[[rotas]]\nname = 'r'\nlayers = [{people=['A'], starts='monday'}]",
        "rotas[0].layers[0].starts",
        "2026-11-23 09:00",
    ),
    (
        "[[rotas]]\nname = 'r'\nlayers = [{people=['A'], starts='2026-01-01', turn='36h'}]",
        "rotas[0].layers[0].turn",
        "'1d', '1w' or '2w'",
    ),
    ("[[rotas]]\nname = 'r'\nical = 'ftp://example.org/x'", "rotas[0].ical", "https://example.org/rota.ics"),
    ("[[calendars]]\nname = 'o'\nhours = ['mon 9-18']\nical = 3", "calendars[0].ical", "a path like"),
    (
        "[[rotas]]\nname = 'r'\nlayers = [{people=['A'], starts='2026-01-01', turn=99999999999999}]",
        "rotas[0].layers[0].turn",
        "like '90s'",
    ),
    (
        "[[rotas]]\nname = 'r'\nlayers = [{people=['A'], starts=0001-01-01}]",
        "rotas[0].layers[0].starts",
        "'0001-01-01' must be from the year 2000",
    ),
    (
        "[[rotas]]\nname = 'Net'\nical = 'a'\n[[rotas]]\nname = 'net'\nical = 'b'",
        "rotas[1].name",
        "a name of its own",
    ),
    (
        "[[calendars]]\nname = 'o'\nhours = ['mon 9-18']\nclosed = [2026-12-31T00:00:00]",
        "calendars[0].closed[0]",
        "a day like 2026-12-31",
    ),
    (
        "[[calendars]]\nname='o'\nhours=['mon 9-18']\nclosed=['2026-12-31']\nopened=[2026-12-31]",
        "calendars[0].closed[0]",
        "keep one of them",
    ),
    ("[[targets]]\nqueues = ['support']", "targets[0]", "at least one of first_response"),
    (
        "[[escalations]]\nname='emergency'\nsteps=[{after='1m', of='unclaimed', whom='lead'}]",
        "escalations[0].name",
        "choose another",
    ),
    (
        "[[escalations]]\nname='e'\nsteps=[{after='2h',of='unclaimed',whom='lead',repeat='5m',until='1h'}]",
        "escalations[0].steps[0].until",
        "later than 'after'",
    ),
    (
        "[[escalations]]\nname='e'\nsteps=[{after='1m',of='unclaimed',whom='lead',repeat='1s',until='1h'}]",
        "escalations[0].steps[0].until",
        "more than 100 pings",
    ),
    (
        "[[escalations]]\nname='e'\nsteps=[{after='1m',of='unclaimed',level='L2',repeat='1m',times=3}]",
        "escalations[0].steps[0].repeat",
        "nobody is",
    ),
    (
        "[[escalations]]\nname='e'\nsteps=[{after='1m', of='unclaimed', whom='space', via='slack'}]",
        "escalations[0].steps[0].via",
        "for people",
    ),
    (
        "[[people]]\nname='Rita'\nidentities=['web:rita']\n"
        "[[escalations]]\nname='e'\nsteps=[{after='1m', of='unclaimed', whom='Rita'}]",
        "escalations[0].steps[0].whom",
        "who works here",
    ),
]


@pytest.mark.parametrize(("text", "key", "valid"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_named_by_its_key_with_what_is_valid(
    write: Write, text: str, key: str, valid: str
) -> None:
    lines = [line for line in wrong(write(text)) if line.startswith(f"{key}:")]
    assert any(valid in line for line in lines), lines


def test_a_row_of_the_matrix_that_is_no_table_is_named_by_its_variable() -> None:
    (line,) = wrong(None, {"DESKBRIDGE_PRIORITIES__MATRIX__HIGH": "high"})
    assert line.startswith("DESKBRIDGE_PRIORITIES__MATRIX__HIGH: must be a table in JSON")


def test_promises_that_a_calendar_never_has_the_hours_for_are_named(write: Write) -> None:
    text = """
        [[calendars]]
        name = "rare"
        hours = ["sun 9:00-9:30"]
        [sla.low]
        resolution = "7d"
        calendar = "rare"
        [[escalations]]
        name = "slow"
        calendar = "rare"
        steps = [{ after = "30m", of = "unclaimed", whom = "lead", repeat = "2d", times = 9 }]
    """
    lines = unkeepable(config.load(write(text), {}), datetime(2026, 11, 23, tzinfo=UTC))
    assert [line.partition(":")[0] for line in lines] == [
        "sla.low.resolution",
        "escalations[0].steps[0].after",
    ]


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("DESKBRIDGE_TELEGARM__TOKEN", "did you mean DESKBRIDGE_TELEGRAM__TOKEN"),
        ("DESKBRIDGE_PORT", "did you mean DESKBRIDGE_WEB__PORT"),
        ("deskbridge_web__port", "did you mean DESKBRIDGE_WEB__PORT"),
        ("DESKBRIDGE_PEOPLE", "[[people]] can be given in the file only"),
        ("DESKBRIDGE_QUEUES__0__NAME", "[[queues]] can be given in the file only"),
        ("DESKBRIDGE_WEB", "DESKBRIDGE_WEB__"),
        ("DESKBRIDGE_QWERTYUIOP", "DESKBRIDGE_SECTION__KEY"),
    ],
)
def test_an_unknown_variable_of_the_environment_is_named(name: str, valid: str) -> None:
    (line,) = wrong(None, {name: "1"})
    assert line.startswith(f"{name}: unknown variable")
    assert valid in line


def test_variables_for_the_tests_are_no_configuration() -> None:
    assert config.load(None, {"DESKBRIDGE_TEST_REQUIRE_ALL": "1"}).demo


def test_a_wrong_value_of_the_environment_is_named_by_key_and_variable() -> None:
    (line,) = wrong(None, {"DESKBRIDGE_WEB__PORT": "http"})
    assert line == "web.port (from DESKBRIDGE_WEB__PORT): must be a whole number"


def test_a_named_file_that_is_missing_is_a_problem(tmp_path: Path) -> None:
    (line,) = wrong(tmp_path / "nowhere.toml")
    assert "nowhere.toml: there is no such file" in line


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[web]\nport == 1", "line 2, column 7"),
        ("[web]\n[web]", "line 2, column 5"),
        ("a = '", "end of the file"),
    ],
)
def test_broken_toml_is_named_by_line_and_column(write: Write, text: str, place: str) -> None:
    (line,) = wrong(write(text))
    assert "is not valid TOML" in line
    assert place in line


def test_a_file_that_is_no_text_or_no_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in wrong(tmp_path / "binary.toml")[0]
    assert "cannot be read" in wrong(tmp_path)[0]


def test_every_problem_is_told_at_once(write: Write) -> None:
    text = """
        [web]
        port = 0.5
        hots = "a"
        [telegram]
        token_file = "nowhere"
        [desk]
        language = "xx"
        [[people]]
        name = "Anna"
        identities = ["anna", "web:a"]
        queues = ["nowhere"]
        [[people]]
        name = "Anna"
        identities = ["web:a"]
        [[escalations]]
        name = "a"
        steps = [{ after = "soon", of = "unclaimed", whom = "Nobody" }]
        """
    lines = wrong(write(text), {"DESKBRIDGE_TELEGARM__TOKEN": "1", "DESKBRIDGE_SLA__LOW__RESOLUTION": "x"})
    assert {line.split(":")[0].split(" ")[0] for line in lines} == {
        "DESKBRIDGE_TELEGARM__TOKEN",
        "telegram.token_file",
        "web.port",
        "web.hots",
        "desk.language",
        "sla.low.resolution",
        "people[0].identities[0]",
        "people[0].queues[0]",
        "people[1].name",
        "people[1].identities[0]",
        "escalations[0].steps[0].after",
        "escalations[0].steps[0].whom",
    }
    assert len(lines) == 12


def test_broken_toml_does_not_hide_the_environments_problems(write: Write) -> None:
    assert len(wrong(write("["), {"DESKBRIDGE_WEB__PORT": "x", "DESKBRIDGE_WEB__PROT": "1"})) == 3


def test_control_characters_of_the_file_never_reach_the_terminal(write: Write) -> None:
    said = "".join(
        wrong(write('"a\\u001b[31m\\nb" = 1\n[[people]]\nname = "A"\nidentities = ["\\u001b[2J"]'))
    )
    assert said.isprintable()


def test_the_address_of_a_feed_is_a_secret(write: Write) -> None:
    address = "webcal://example.org/private-3f9a/basic.ics"
    text = f"{PEOPLE}[[rotas]]\nname = 'r'\nical = '{address}'\n"
    settings = config.load(write(text), {})
    assert settings.rotas[0].ical == "https://example.org/private-3f9a/basic.ics"
    assert settings.rotas[0].ical in settings.secrets
    assert "private-3f9a" not in repr(settings)
    assert not any("private-3f9a" in line for line in wrong(write(text + "turn = 1\n")))


# The example


def test_the_example_loads_unchanged_and_is_the_demo() -> None:
    settings = config.load(EXAMPLE, {})
    plain = config.load(None, {})
    assert settings.demo
    assert settings.model_dump() == plain.model_dump()


def test_the_example_is_valid_with_every_line_switched_on(write: Write) -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    switched_on = [re.sub(r"^#(?=\S)", "", line) for line in lines if not re.match(r"#\w+_file = ", line)]
    settings = config.load(write("\n".join(switched_on)), {})
    assert not settings.demo
    assert settings.telegram.token is not None


def tables(table: type[BaseModel], name: str = "") -> Iterator[tuple[str, set[str]]]:
    inner = {key: problems.table_in(field.annotation) for key, field in table.model_fields.items()}
    yield name, {key for key, found in inner.items() if found is None}
    for key, found in inner.items():
        if found is not None:
            yield from tables(found, f"{name}.{key}".lstrip("."))


def test_the_example_names_every_key_there_is() -> None:
    known = {name: keys for name, keys in tables(model.Settings) if keys}
    said: dict[str, set[str]] = {}
    table = ""
    for line in EXAMPLE.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"#?\[\[?([\w.]+)\]?\]", line):
            table = header[1]
            said.setdefault(table, set())
        elif key := re.match(r"#?(\w+) = ", line):
            said[table].add(key[1])
    assert {name: keys for name, keys in said.items() if keys} == known


def test_every_default_the_example_gives_in_a_comment_is_the_real_one() -> None:
    text = EXAMPLE.read_text("utf-8")
    sla = {part: dict(re.findall(r"#(\w+) = \"(\w+)\"", body)) for part, body in _sla(text)}
    assert sla == sources.defaults()["sla"]


def _sla(text: str) -> Iterator[tuple[str, Any]]:
    yield from re.findall(r"#\[sla\.(\w+)\]\n((?:#\w.*\n)+)", text)
