"""Who may call what: tokens and scopes."""

from typing import TYPE_CHECKING

from tests.emulators.slack.events import SCOPES
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import Method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

ALL_SCOPES = frozenset({scope for scopes in SCOPES.values() for scope in scopes}) | {
    *("chat:write", "commands", "files:write", "im:read", "im:write", "mpim:read", "mpim:write"),
    *("reactions:write", "team:read", "channels:join", "users:read.email"),
}
APP_SCOPES = ("connections:write",)
EITHER_TOKEN = ("auth.test", "api.test")


def admit(world: "Slack", method: Method, token: str) -> None:
    """Web API: the token must be given, be right, alive, of the right kind, and have the scope."""
    if not token:
        raise Refused("not_authed")
    if token not in (world.bot_token, world.app_token, world.config_token):
        raise Refused("invalid_auth")
    if method.config_level or token == world.config_token:
        if not method.config_level or token != world.config_token:
            raise Refused("not_allowed_token_type")
        return
    if world.uninstalled:
        raise Refused("account_inactive")
    if world.revoked:
        raise Refused("token_revoked")
    if method.app_level != (token == world.app_token) and method.name not in EITHER_TOKEN:
        raise Refused("not_allowed_token_type")
    if method.app_level and not world.app_scopes:
        raise Refused("missing_scope", needed=APP_SCOPES[0], provided="")
    demand(world, method.scopes)


def demand(world: "Slack", scopes: tuple[str, ...], *, every: bool = False) -> None:
    """Any one of these scopes, or every one."""
    lacking = [scope for scope in scopes if scope not in world.scopes]
    if lacking and (every or len(lacking) == len(scopes)):
        raise Refused("missing_scope", needed=lacking[0], provided=",".join(sorted(world.scopes)))
