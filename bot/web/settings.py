"""What the web server is given: its settings, the desk behind it, and the rooms of a person."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal
from urllib.parse import urlsplit

from aiohttp import web
from prometheus_client import CollectorRegistry

from bot.adapters.port import Health
from bot.message import Text
from bot.web.hub import Hub
from bot.web.pace import Pace
from core.database.engine import Database
from core.files.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.ids import Identity
from core.people.model import Person

TEXT_LIMIT = 100_000
BODY_LIMIT = 2_000_000
SEAT_PATH = "/s/{seat:[A-Za-z0-9_-]{1,40}}"
"""Where everything of one signed-in person lives."""


@dataclass(frozen=True, slots=True)
class Demo:
    """People who are signed in on the front page: two side by side, the others by a link."""

    left: Identity
    right: Identity
    others: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the server listens and what it lets in."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = "http://127.0.0.1:8080"
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    """Who is believed on whom they speak for."""
    language: str = "en"
    time_zone: str = "UTC"
    visitors: bool = False
    """Whether strangers may open a conversation at /chat."""
    file_limit: int = 20_000_000
    demo: Demo | None = None
    ping: float = 15.0
    """Seconds between signs of life on a quiet stream."""
    patience: float = 20.0
    """Seconds after which a stream that is not read is cut off."""

    @property
    def https(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class Room:
    """A conversation a person may see: with the desk alone, or a staff space."""

    room: str
    kind: Literal["direct", "space"]
    title: Text


RoomsOf = Callable[[Person], Sequence[Room]]
HealthOf = Callable[[], Mapping[str, Health]]
Received = Callable[[str, int, int], None]
"""Counts what came in: the messenger, how many events were new, how many were told again."""


@dataclass(frozen=True, slots=True)
class Paces:
    """How often one address or one person may do something."""

    sign_in: Pace
    visit: Pace
    act: Pace
    upload: Pace


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a route may use."""

    settings: WebSettings
    database: Database
    blobs: Blobs
    rooms_of: RoomsOf
    health: HealthOf
    received: Received
    registry: CollectorRegistry
    clock: Clock
    hub: Hub
    paces: Paces


SITE: web.AppKey[Site] = web.AppKey("site", Site)
LANGUAGE: web.RequestKey[str] = web.RequestKey("language", str)
"""The language of the person who asks, once it is known who that is."""
