"""Slack's tests: pauses that nobody need wait for."""

import pytest

from bot.adapters.slack import catchup, hearing, sockets


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hearing looks, tries again and gives up in a hurry."""
    for module, name, seconds in (
        (sockets, "APART", 0.0),
        (sockets, "FIRST_PAUSE", 0.01),
        (sockets, "LONGEST_PAUSE", 0.05),
        (sockets, "LOOK", 0.01),
        (sockets, "GOODBYE", 0.05),
        (sockets, "PING", 0.1),
        (hearing, "FIRST_PAUSE", 0.01),
        (hearing, "LONGEST_PAUSE", 0.05),
        (hearing, "WATCH", 0.05),
        (hearing, "FIRST", 2.5),
        (catchup, "PAUSE", 0.01),
        (catchup, "LONGEST_PAUSE", 0.05),
    ):
        monkeypatch.setattr(module, name, seconds)
