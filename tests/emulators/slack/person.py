"""Who people are: their names, their workspace, and what Slack shows each of them."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from tests.emulators.slack.channels import Channel
from tests.emulators.slack.interactions import Interaction, Trouble
from tests.emulators.slack.views import View

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack


class Person:
    """Somebody. `name` is the handle, `real_name` what colleagues read. `team` is another workspace's for
    people of Slack Connect. `modals` are the app's modals open before them, the last on top; `home` its Home
    tab; `troubles` what they were shown instead of an answer; `acted` what they did, as it was over."""

    def __init__(self, world: "Slack", id: str, real_name: str, **more: Any) -> None:
        self.world = world
        self.id = id
        self.real_name = real_name
        self.name: str = more.get("name") or real_name.lower().replace(" ", ".")
        self.display_name: str = more.get("display_name", "")
        self.team: str = more.get("team") or world.team
        self.locale: str = more.get("locale", "en-US")
        self.tz: str = more.get("tz", "Europe/Moscow")
        self.email: str = more.get("email") or f"{self.name}@example.com"
        self.is_bot: bool = more.get("is_bot", False)
        self.is_admin: bool = more.get("is_admin", False)
        self.is_restricted: bool = more.get("is_restricted", False)
        self.deleted = False
        self.modals: list[View] = []
        self.home: View | None = None
        self.troubles: list[Trouble] = []
        self.acted: list[Interaction] = []

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    @property
    def is_stranger(self) -> bool:
        """Of another workspace."""
        return self.team != self.world.team

    @property
    def dm(self) -> Channel:
        """Their direct messages with the app, opened when first needed."""
        return self.world.direct(self)

    def json(self, *, locale: bool = False) -> dict[str, Any]:
        """Slack: user object."""
        profile: dict[str, Any] = {"real_name": self.real_name, "real_name_normalized": self.real_name}
        profile |= {"display_name": self.display_name, "display_name_normalized": self.display_name}
        profile |= {"team": self.team, "title": "", "phone": "", "avatar_hash": "0", "status_text": ""}
        profile |= {"status_emoji": "", "image_72": f"{self.world.home}/avatars/{self.id}.png"}
        if "users:read.email" in self.world.scopes and not self.is_bot and not self.is_stranger:
            profile["email"] = self.email
        if self.is_bot:
            profile |= {"bot_id": self.world.bot_id, "api_app_id": self.world.app_id}
        told: dict[str, Any] = {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "deleted": self.deleted,
        }
        told |= {"profile": profile, "is_bot": self.is_bot, "is_app_user": False, "updated": 0}
        if self.is_stranger:
            told["is_stranger"] = True
        if self.deleted:
            return told
        told |= {"color": "9f69e7", "real_name": self.real_name, "tz": self.tz, "tz_label": self.tz}
        told |= {"tz_offset": self._offset(), "is_admin": self.is_admin, "is_owner": False}
        told |= {"is_primary_owner": False, "is_restricted": self.is_restricted, "is_ultra_restricted": False}
        return told | ({"locale": self.locale} if locale else {})

    def _offset(self) -> int:
        moment = datetime.fromtimestamp(self.world.times.now(), ZoneInfo(self.tz))
        return int((moment.utcoffset() or timedelta()).total_seconds())

    def shown(self, word: str, what: str) -> Trouble:
        trouble = Trouble(word, self.world.times.now(), what)
        self.troubles.append(trouble)
        return trouble

    def __repr__(self) -> str:
        return f"<{self.real_name} {self.id}>"
