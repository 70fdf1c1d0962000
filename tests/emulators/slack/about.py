"""Methods that tell: of the app itself, the workspace, people, reactions."""

from typing import TYPE_CHECKING, Any

from tests.emulators.slack import access, limits
from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.messages import Message
from tests.emulators.slack.reading import page, paged
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

Body = dict[str, Any]


@method("api.test", tier="4")
def api_test(world: "Slack", arguments: Arguments) -> Body:
    if "error" in arguments:
        raise Refused(arguments.text("error"))
    return {"args": arguments.values}


@method("auth.test", tier="4")
def auth_test(world: "Slack", arguments: Arguments) -> Body:
    """The scopes stand in the x-oauth-scopes header, as with every call. The app's own token has no user."""
    if arguments.token == world.app_token:
        return {"app_id": world.app_id, "app_name": world.bot.real_name}
    told = {"url": f"{world.home}/", "team": world.name, "user": world.bot.name, "team_id": world.team}
    return told | {"user_id": world.bot.id, "bot_id": world.bot_id, "is_enterprise_install": False}


@method("apps.connections.open", tier="3", app_level=True)
def open_connection(world: "Slack", arguments: Arguments) -> Body:
    if world.sockets.disabled:
        raise Refused("internal_error")
    return {"url": world.url.replace("http", "ws", 1) + world.sockets.ticket()}


@method("apps.manifest.export", tier="3", config_level=True)
def export_manifest(world: "Slack", arguments: Arguments) -> Body:
    """App manifests: only a configuration token is shown the app as it is set up."""
    if arguments.needed("app_id") != world.app_id:
        raise Refused("app_not_eligible")
    return {"manifest": world.manifest}


@method("team.info", "team:read")
def team_info(world: "Slack", arguments: Arguments) -> Body:
    team = {"id": world.team, "name": world.name, "domain": world.domain, "email_domain": "example.com"}
    return {"team": team | {"url": f"{world.home}/", "icon": {"image_default": True}}}


@method("bots.info", "users:read")
def bots_info(world: "Slack", arguments: Arguments) -> Body:
    if arguments.text("bot", world.bot_id) != world.bot_id:
        raise Refused("bot_not_found")
    return {"bot": world.bot_profile() | {"user_id": world.bot.id}}


@method("users.info", "users:read", tier="4")
def user_info(world: "Slack", arguments: Arguments) -> Body:
    found = access.user(world, arguments.needed("user"))
    return {"user": found.json(locale=arguments.flag("include_locale"))}


@method("users.list", "users:read", tier="2")
def user_list(world: "Slack", arguments: Arguments) -> Body:
    """People of the workspace, the deactivated too; strangers are not among them."""
    own = [one for one in world.users.values() if not one.is_stranger]
    chosen, cursor = page(own, arguments, 1000)
    locale = arguments.flag("include_locale")
    return {"members": [one.json(locale=locale) for one in chosen], "cache_ts": world.times.unix()} | paged(
        cursor
    )


def _of_item(world: "Slack", arguments: Arguments) -> Message:
    found = access.inside(world, arguments)
    return access.message(found, arguments.needed("timestamp"))


@method("reactions.add", "reactions:write")
def reactions_add(world: "Slack", arguments: Arguments) -> Body:
    message = _of_item(world, arguments)
    name = arguments.needed("name").strip(":")
    if not world.knows_emoji(name):
        raise Refused("invalid_name")
    who = message.reactions.get(name, [])
    if world.bot.id in who:
        raise Refused("already_reacted")
    if sum(world.bot.id in one for one in message.reactions.values()) >= limits.REACTIONS_OF_ONE:
        raise Refused("too_many_reactions")
    message.reactions.setdefault(name, []).append(world.bot.id)
    world.tell.reacted(message, world.bot, name, added=True)
    return {}


@method("reactions.remove", "reactions:write", tier="2")
def reactions_remove(world: "Slack", arguments: Arguments) -> Body:
    message = _of_item(world, arguments)
    name = arguments.needed("name").strip(":")
    if world.bot.id not in message.reactions.get(name, []):
        raise Refused("no_reaction")
    message.reactions[name].remove(world.bot.id)
    if not message.reactions[name]:
        del message.reactions[name]
    world.tell.reacted(message, world.bot, name, added=False)
    return {}


@method("reactions.get", "reactions:read")
def reactions_get(world: "Slack", arguments: Arguments) -> Body:
    message = _of_item(world, arguments)
    return {"type": "message", "channel": message.channel.id, "message": message.json()}
