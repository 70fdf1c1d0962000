"""Who asks: the address before the proxies that are ours, and no other that a header may name."""

import ipaddress
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web

from bot.web.settings import SITE

Networks = tuple[IPv4Network | IPv6Network, ...]


def networks(told: str | None) -> Networks:
    """Of the configuration, where they stand with commas between them."""
    return tuple(ipaddress.ip_network(each) for each in (told or "").split(",") if each)


def whence(request: web.Request) -> str:
    """Each proxy appends whom it heard it from, so the list is read from its end for as long as the one who
    told is a proxy of ours."""
    ours = request.app[SITE].settings.proxies
    address = request.remote or ""
    told = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
    while told and _within(address, ours):
        address = told.pop().strip() or address
    return address


def _within(address: str, ours: Networks) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in each for each in ours)
