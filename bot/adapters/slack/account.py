"""The app's account in one workspace: its secrets, where the server is, and how it hears."""

from dataclasses import dataclass, field
from typing import Literal

API_URL = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach Slack. The secrets are in no representation of this."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    """Opens the sockets of Socket Mode."""
    signing_secret: str = field(default="", repr=False)
    """Checks what Slack brings over HTTP."""
    api_url: str = API_URL
    mode: Literal["socket", "http"] = "socket"
    staff_rooms: tuple[str, ...] = ()
    """The channels of agents, as `team/channel`."""
    other_workspaces: bool = False
    """People of other workspaces, who meet the app in shared channels, are served too."""


@dataclass(frozen=True, slots=True)
class Me:
    """The app as `auth.test` tells of it: its workspace, its user there, and its id as an author."""

    team: str
    user: str
    bot: str
    name: str = ""
    url: str = ""
    """Where people find the workspace."""
