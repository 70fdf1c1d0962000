"""What Slack brings, as samples, and a Slack of which everything is known."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.adapters.slack import envelope, inbound
from bot.adapters.slack.account import Me
from bot.adapters.slack.channels import Channels
from bot.adapters.slack.client import Client
from bot.adapters.slack.files import Files
from bot.adapters.slack.people import People, Person
from bot.adapters.slack.reading import Known
from bot.incoming import Incoming

SAMPLES = Path(__file__).parents[1] / "payloads" / "slack" / "in"
ME = Me("T01", "U01DESK", "B01DESK", "Desk")
CLIENT = Client("xoxb-nobody", "http://127.0.0.1:9/api/")
TRIAGE, VIP = "T01/C01TRIAGE", "T01/C01VIP"
AT = 1772442999.5


class Everybody(People):
    """People who are all known, some by name."""

    NAMES: Mapping[str, Person] = {
        "U01IVAN": Person("Ivan Petrov", "ru-RU", "T01"),
        "U01ANNA": Person("Anna", "en-US", "T01"),
        "U09GUEST": Person("Guest", None, "T09"),
    }

    def get(self, user: str) -> Person:
        return self.NAMES.get(user) or Person(f"Somebody {user}", None, "T01")


class Everywhere(Channels):
    """Channels that are all known, with one message standing in each place; the app is in all but direct
    messages of others."""

    def within(self, channel: str) -> bool:
        return channel.startswith("C01")

    def name(self, channel: str) -> str:
        return channel.removeprefix("C01").lower()

    def message(self, channel: str, ts: str) -> Mapping[str, Any] | None:
        return {"type": "message", "user": "U01ANNA", "team": "T01", "text": "my phone is dead", "ts": ts}


class Everything(Files):
    """Files of shared channels, asked for already."""

    def whole(self, file: Mapping[str, Any]) -> Mapping[str, Any]:
        late = file.get("file_access") == "check_file_info"
        return {**file, "name": "late.pdf", "size": 5, "mimetype": "application/pdf"} if late else file


def known(*, others: bool = False) -> Known:
    people, channels, files = Everybody(CLIENT), Everywhere(CLIENT), Everything(CLIENT)
    return Known(ME, people, channels, files, staff=(TRIAGE, VIP), others=others)


def names(folder: Path = SAMPLES) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


def kept(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What stands in the inbox of it."""
    return envelope.raw(payload, ME, AT, envelope.key(payload), "feedbeef00112233").body


def read(name: str, **more: Any) -> Incoming | None:
    return inbound.read(kept(sample(name)), known(**more))


def heard(name: str, **more: Any) -> Incoming:
    """What a sample means that means something."""
    found = read(name, **more)
    assert found is not None
    return found
