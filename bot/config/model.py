"""The settings of a desk: what each section of the configuration holds, frozen once read."""

from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.config import accounts, values
from core.database.engine import Place, place_of
from core.escalation.model import Of
from core.people.model import Role
from core.tickets.catalogue import Impact, Level, Priority

Language = Literal["en", "ru"]

PREFIX = "DESKBRIDGE_"


class Section(BaseModel):
    """One table of the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Database(Section):
    url: values.DatabaseUrl = Field(default="sqlite+aiosqlite:///data/deskbridge.db", repr=False)

    @property
    def place(self) -> Place:
        return place_of(self.url)

    @property
    def folder(self) -> Path:
        """Where what belongs to it lies on this machine."""
        place = self.place
        return place.parent if isinstance(place, Path) else Path("data")


class Web(Section):
    host: values.Host = "127.0.0.1"
    port: values.Port = 8080
    public_url: values.Origin | None = None
    proxies: values.Networks | None = None
    visitors: bool = True
    file_limit: values.Size = 25_000_000

    @property
    def address(self) -> str:
        """Where a browser finds the desk: `public_url`, or this machine."""
        return self.address_at(self.port)

    def address_at(self, port: int) -> str:
        """The same where the port was left to the machine and has become this one."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Telegram(Section):
    token: accounts.TelegramToken | None = None
    token_file: values.Location | None = None
    api_url: values.Url = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_secret: accounts.WebhookSecret | None = None
    webhook_secret_file: values.Location | None = None


class Slack(Section):
    bot_token: accounts.BotToken | None = None
    bot_token_file: values.Location | None = None
    app_token: accounts.AppToken | None = None
    app_token_file: values.Location | None = None
    signing_secret: accounts.SigningSecret | None = None
    signing_secret_file: values.Location | None = None
    api_url: values.Url = "https://slack.com/api"
    mode: Literal["socket", "http"] = "socket"
    other_workspaces: bool = False
    config_token: accounts.ConfigToken | None = None
    config_token_file: values.Location | None = None


class Desk(Section):
    name: values.Line = "Deskbridge"
    language: Language = "en"
    time_zone: values.TimeZone = Field(default_factory=values.local_zone)
    close_after: values.Duration = timedelta(days=3)
    reopen_for: values.Span = timedelta(days=14)
    rating_every: values.Span = timedelta(days=7)
    flood_after: int = Field(default=20, ge=1, le=10_000)
    files: values.Location | None = None
    keep_events_days: values.Days = 30


class Heartbeat(Section):
    url: accounts.HeartbeatUrl | None = None
    url_file: values.Location | None = None
    every: values.Duration = timedelta(minutes=5)


class Person(Section):
    name: values.Line
    identities: tuple[accounts.Account, ...] = Field(min_length=1)
    roles: frozenset[Role] = Field(default=frozenset({Role.REQUESTER}), min_length=1)
    queues: tuple[str, ...] = ()
    languages: tuple[Language, ...] = Field(min_length=1)
    vip: bool = False

    @property
    def language(self) -> str:
        return self.languages[0]


class Queue(Section):
    name: values.Name
    title: values.Title
    spaces: tuple[accounts.Space, ...] = Field(min_length=1)
    language: Language
    plain_text: Literal["note", "reply"] = "note"


class Question(Section):
    name: values.Name
    text: values.Sentence
    kind: Literal["text", "choice"] = "text"
    options: tuple[values.Title, ...] = Field(default=(), max_length=20)
    optional: bool = False


class RequestType(Section):
    name: values.Name
    queue: str
    title: values.Title
    questions: tuple[Question, ...] = Field(default=(), max_length=4)
    urgency: Priority | None = None
    impact: Impact = Impact.NORMAL
    ask_impact: bool = False
    keywords: tuple[values.Keyword, ...] = ()


def pings_until(
    until: timedelta, after: timedelta | None, before: timedelta | None, repeat: timedelta
) -> int:
    """How often a step pings in all, which repeats until that time."""
    begin = -before if before is not None else after or timedelta(0)
    return 1 + max((until - begin) // repeat, 0)


class Step(Section):
    """`after` and `until` count from when the ticket came to be `of`, or from when that promise falls due;
    `before` from it backwards. `times` is how often it pings in all, or as often as there is time `until`."""

    after: values.Span | None = None
    before: values.Duration | None = None
    of: Of
    whom: values.Line | None = None
    via: Literal["telegram", "slack", "web"] | None = None
    repeat: values.Duration | None = None
    times: values.Times | None = None
    until: values.Duration | None = None
    level: Level | None = None
    release_after: values.Duration | None = None

    @property
    def times_in_all(self) -> int:
        if self.repeat is None or self.until is None:
            return self.times or 1
        return pings_until(self.until, self.after, self.before, self.repeat)


class Escalation(Section):
    name: values.Name
    priorities: tuple[Priority, ...] = Field(default=tuple(Priority), min_length=1)
    queues: tuple[str, ...] = Field(min_length=1)
    calendar: values.Name = "always"
    steps: tuple[Step, ...] = Field(min_length=1, max_length=20)


class Webhook(Section):
    name: values.Name
    url: accounts.WebhookUrl
    secret: accounts.SignSecret | None = None
    secret_file: values.Location | None = None


class Calendar(Section):
    name: values.Name
    hours: values.Hours
    time_zone: values.TimeZone | None = None
    holidays: values.Country | None = None
    closed: tuple[values.Day, ...] = ()
    opened: tuple[values.Day, ...] = ()
    ical: values.Feed | None = Field(default=None, repr=False)


class Layer(Section):
    """People who take turns; within `hours`, in the working time of a `calendar`, or round the clock."""

    people: tuple[values.Line, ...] = Field(min_length=1, max_length=100)
    starts: values.Start
    turn: values.Turn = 7
    """In days."""
    hours: values.Hours | None = None
    time_zone: values.TimeZone | None = None
    calendar: values.Name | None = None


class Rota(Section):
    name: values.Line
    queues: tuple[str, ...] = ()
    level: Level | None = None
    time_zone: values.TimeZone | None = None
    ical: values.Feed | None = Field(default=None, repr=False)
    layers: tuple[Layer, ...] = Field(default=(), max_length=20)


class Team(Section):
    """Who works at a level."""

    level: Level
    people: tuple[values.Line, ...] = Field(min_length=1)
    queues: tuple[str, ...] = ()


class Targets(Section):
    first_response: values.Duration
    next_response: values.Duration
    resolution: values.Duration
    calendar: values.Name = "always"


class SpecialTargets(Section):
    """For some tickets; what is left out is as for all others."""

    priorities: tuple[Priority, ...] = ()
    queues: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    first_response: values.Duration | None = None
    next_response: values.Duration | None = None
    resolution: values.Duration | None = None
    calendar: values.Name = "always"


class Sla(Section):
    critical: Targets
    high: Targets
    normal: Targets
    low: Targets


class Matrix(Section):
    """A row for each urgency: which priority each impact makes of it."""

    critical: values.Row
    high: values.Row
    normal: values.Row
    low: values.Row


class Priorities(Section):
    matrix: Matrix


class Emergency(Section):
    enabled: bool = False
    hours: Literal["closed", "always"] = "closed"


class Settings(BaseSettings):
    """The whole configuration. Made by `bot.config.load`, which lays the defaults under it."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, env_prefix=PREFIX, env_nested_delimiter="__"
    )
    database: Database = Database()
    web: Web = Web()
    telegram: Telegram = Telegram()
    slack: Slack = Slack()
    desk: Desk = Desk()
    heartbeat: Heartbeat = Heartbeat()
    calendars: tuple[Calendar, ...] = ()
    sla: Sla
    priorities: Priorities
    emergency: Emergency = Emergency()
    targets: tuple[SpecialTargets, ...] = ()
    people: tuple[Person, ...] = Field(min_length=1)
    queues: tuple[Queue, ...] = Field(min_length=1)
    request_types: tuple[RequestType, ...] = Field(min_length=1)
    escalations: tuple[Escalation, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    rotas: tuple[Rota, ...] = ()
    levels: tuple[Team, ...] = ()

    _demo: bool = PrivateAttr(default=False)
    _source: Path | None = PrivateAttr(default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing is read behind the caller's back: `bot.config.sources` has laid the sources together."""
        return (init_settings,)

    @property
    def demo(self) -> bool:
        """Whether no configuration names any people, so that the demo's people are the desk's."""
        return self._demo

    @property
    def source(self) -> Path | None:
        """The file it was read from, if there was one."""
        return self._source

    @property
    def files_dir(self) -> Path:
        return self.desk.files or self.database.folder / "files"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for redaction."""
        values = (
            value
            for section in (self.telegram, self.slack, self.heartbeat, *self.webhooks)
            for _, value in section
        )
        feeds = [*(each.ical for each in self.calendars), *(each.ical for each in self.rotas)]
        addresses = (feed for feed in feeds if feed and "://" in feed)
        password = urlsplit(self.database.url).password
        passwords = {password, unquote(password)} if password else ()
        secrets = (value.get_secret_value() for value in values if isinstance(value, SecretStr))
        return (*secrets, *addresses, *passwords)
