"""Methods of views: opening, changing, stacking modals; publishing Home tabs; answers to submissions."""

from typing import TYPE_CHECKING, Any

from tests.emulators.slack import access, limits, views
from tests.emulators.slack.arguments import Arguments
from tests.emulators.slack.refusals import Refused
from tests.emulators.slack.registry import method
from tests.emulators.slack.views import View

if TYPE_CHECKING:
    from tests.emulators.slack.interactions import Interaction
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack

Body = dict[str, Any]


class Viewing:
    """Every view there ever was, by id, and what answers to submissions do to them."""

    def __init__(self, world: "Slack") -> None:
        self._world = world
        self.by_id: dict[str, View] = {}

    def make(self, user: "Person", body: Any, kinds: tuple[str, ...] = ("modal",)) -> View:
        judged = views.judged(body, kinds)
        external = judged.get("external_id")
        if external and any(
            one.body.get("external_id") == external and not one.closed for one in self.by_id.values()
        ):
            raise Refused("duplicate_external_id")
        view = View(self._world.names.fresh("V"), user, judged, self.hash())
        view.state = views.first_state(view.blocks)
        self.by_id[view.id] = view
        return view

    def hash(self) -> str:
        return f"{self._world.times.unix()}.{self._world.names.fresh('')[-8:].lower()}"

    def push(self, user: "Person", body: Any) -> View:
        """Modals: three stacked at most."""
        if len(user.modals) >= limits.VIEWS_STACKED:
            raise Refused("push_limit_reached")
        view = self.make(user, body)
        view.previous = user.modals[-1] if user.modals else None
        view.root = user.modals[0] if user.modals else None
        user.modals.append(view)
        self._world.stir()
        return view

    def submitted(self, user: "Person", view: View, act: "Interaction") -> None:
        """Modals: response_action errors, update, push or clear; without one the modal closes."""
        answer = act.delivery.answer if isinstance(act.delivery.answer, dict) else {}
        view.errors = {}
        try:
            match answer.get("response_action"):
                case "errors":
                    self._errors(view, answer.get("errors"))
                case "update":
                    view.become(views.judged(answer.get("view"), ("modal",)), self.hash())
                case "push":
                    self.push(user, answer.get("view"))
                case "clear":
                    self.shut(user, list(user.modals))
                case None:
                    self.shut(user, [view])
                case _:
                    raise Refused("invalid_response_action")
        except Refused as refused:
            act.trouble = user.shown("invalid_response", refused.error)
        self._world.stir()

    def _errors(self, view: View, errors: Any) -> None:
        """They must name input blocks of this view."""
        asked = {block["block_id"] for block in view.blocks if block["type"] == "input"}
        if not isinstance(errors, dict) or not errors or not set(errors) <= asked:
            raise Refused("invalid_errors")
        view.errors = {str(block): str(words) for block, words in errors.items()}

    def shut(self, user: "Person", gone: list[View]) -> None:
        for view in gone:
            view.closed = True
            if view in user.modals:
                user.modals.remove(view)


def _asked(arguments: Arguments) -> Any:
    return arguments.object("view", "invalid_arguments")


@method("views.open", tier="4")
def open_view(world: "Slack", arguments: Arguments) -> Body:
    """A new modal; those that were open before this person are gone."""
    views.judged(_asked(arguments), ("modal",))
    trigger = world.interactions.exchange(arguments.needed("trigger_id"))
    world.viewing.shut(trigger.user, list(trigger.user.modals))
    return {"view": world.viewing.push(trigger.user, _asked(arguments)).json()}


@method("views.push", tier="4")
def push_view(world: "Slack", arguments: Arguments) -> Body:
    """On top of the modal the trigger came from."""
    views.judged(_asked(arguments), ("modal",))
    trigger = world.interactions.exchange(arguments.needed("trigger_id"))
    if trigger.view is None or trigger.view not in trigger.user.modals:
        raise Refused("not_found")
    return {"view": world.viewing.push(trigger.user, _asked(arguments)).json()}


@method("views.update", tier="4")
def update_view(world: "Slack", arguments: Arguments) -> Body:
    """`hash` guards against a newer update."""
    known = world.viewing.by_id
    external = arguments.text("external_id")
    by_external = [one for one in known.values() if external and one.body.get("external_id") == external]
    view = known.get(arguments.text("view_id")) or (by_external[-1] if by_external else None)
    if view is None or view.closed:
        raise Refused("not_found")
    if "hash" in arguments and arguments.text("hash") != view.hash:
        raise Refused("hash_conflict")
    view.become(views.judged(_asked(arguments), ("modal",)), world.viewing.hash())
    world.stir()
    return {"view": view.json()}


@method("views.publish", tier="4")
def publish_view(world: "Slack", arguments: Arguments) -> Body:
    if not world.home_tab:
        raise Refused("not_enabled")
    user = access.user(world, arguments.needed("user_id"))
    body = _asked(arguments)
    if user.home is None:
        user.home = world.viewing.make(user, body, ("home",))
    else:
        if "hash" in arguments and arguments.text("hash") != user.home.hash:
            raise Refused("hash_conflict")
        user.home.become(views.judged(body, ("home",)), world.viewing.hash())
    world.stir()
    return {"view": user.home.json()}
