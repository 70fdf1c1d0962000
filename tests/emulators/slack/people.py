"""People with Slack in their hands: they press, choose, command, use shortcuts, fill and submit forms."""

from collections.abc import Mapping
from typing import Any

from tests.emulators.slack import filling, mrkdwn
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.elements import Piece
from tests.emulators.slack.interactions import Interaction, Submission
from tests.emulators.slack.messages import Message
from tests.emulators.slack.views import View
from tests.emulators.slack.writing import Writer


class User(Writer):
    """Somebody who writes, and acts on what the app shows."""

    async def press(self, where: Message | View, what: str, choice: str = "") -> Interaction:
        """Press the button with this label, action_id or value. With a `choice`, choose the option with this
        label or value; `what` then names the menu by action_id or placeholder, or is empty for the only one.
        What a message showed before its last change may still be on their screen, and is pressed there."""
        past = where.past if isinstance(where, Message) else []
        block, element = filling.find([where.blocks, *reversed(past)], what, choice)
        if element["type"] == "button":
            kept = ("action_id", "block_id", "text", "value", "style", "type")
            action = {name: element[name] for name in kept if name in element}
        else:
            action = {"type": element["type"], "action_id": element["action_id"]}
            action |= filling.chosen(element, choice)
            if "placeholder" in element:
                action["placeholder"] = element["placeholder"]
        action |= {"block_id": block["block_id"], "action_ts": f"{self.world.times.now():.6f}"}
        return self._act(where, action)

    def _act(self, where: Message | View, action: Piece) -> Interaction:
        acts = self.world.interactions
        payload = acts.common("block_actions", self)
        if isinstance(where, View):
            filling.hold(where, action)
            trigger = acts.trigger(self, where)
            payload |= {"container": {"type": "view", "view_id": where.id}, "view": where.json()}
            payload |= {"trigger_id": trigger.id, "actions": [action]}
            return acts.send(self, "press", payload, trigger=trigger)
        trigger = acts.trigger(self)
        address = acts.address(where.channel, self, where, "actions")
        container: dict[str, Any] = {
            "type": "message",
            "message_ts": where.ts,
            "channel_id": where.channel.id,
        }
        container["is_ephemeral"] = where.only_for is not None
        if where.thread_ts:
            container["thread_ts"] = where.thread_ts
        payload |= {"container": container, "trigger_id": trigger.id, "channel": where.channel.spoken()}
        if where.only_for is None:
            payload["message"] = where.json()
        payload |= {"state": {"values": filling.shown_state(where, action)}, "actions": [action]}
        payload["response_url"] = self.world.url + address.path
        return acts.send(self, "press", payload, trigger=trigger, response=address)

    async def command(self, line: str, *, channel: Channel | None = None) -> Interaction:
        """Type a slash command: `/desk take 42`. Slash commands: they do not run in threads, and people of
        other workspaces have none."""
        assert not self.is_stranger, "commands are those of one's own workspace"
        where = channel or self.dm
        name, _, text = line.partition(" ")
        world, acts = self.world, self.world.interactions
        trigger = acts.trigger(self)
        address = acts.address(where, self, None, "commands")
        payload = {
            "token": world.verification_token,
            "team_id": world.team,
            "team_domain": world.domain,
            "channel_id": where.id,
            "channel_name": where.spoken()["name"],
            "user_id": self.id,
            "user_name": self.name,
            "command": name,
            "text": text.strip(),
            "api_app_id": world.app_id,
            "is_enterprise_install": "false",
            "response_url": world.url + address.path,
            "trigger_id": trigger.id,
        }
        if world.commands is not None and name not in world.commands:
            self.shown("invalid_command", name)
            raise AssertionError(f"{name} is not a command of the app's: {sorted(world.commands)}")
        return acts.send(
            self, "command", payload, envelope="slash_commands", trigger=trigger, response=address
        )

    async def shortcut(self, callback_id: str, message: Message | None = None) -> Interaction:
        """Use a shortcut: of a message's menu, or a global one."""
        world, acts = self.world, self.world.interactions
        trigger = acts.trigger(self)
        at = {"action_ts": f"{world.times.now():.6f}", "callback_id": callback_id, "trigger_id": trigger.id}
        if message is None:
            return acts.send(self, "shortcut", acts.common("shortcut", self) | at, trigger=trigger)
        address = acts.address(message.channel, self, message, "app")
        payload = acts.common("message_action", self) | at
        payload |= {"channel": message.channel.spoken(), "message_ts": message.ts, "message": message.json()}
        payload["response_url"] = world.url + address.path
        return acts.send(self, "message shortcut", payload, trigger=trigger, response=address)

    # Modals and the Home tab

    async def modal(self, title: str = "", seconds: float = 5.0) -> View:
        """Waits (real seconds) until a modal (with this in its title) is open before them."""
        await self.world.until(
            lambda: self.modals and title in self.modals[-1].title, seconds, f"a modal {title!r} for {self!r}"
        )
        return self.modals[-1]

    def fill(self, values: Mapping[str, Any]) -> View:
        """Fill the inputs of the open modal, by label or block_id, with words, an option's label, a list of
        them, a User, a Channel, a date."""
        assert self.modals, f"no modal is open before {self!r}"
        view = self.modals[-1]
        for label, value in values.items():
            filling.fill(view, label, value)
        return view

    async def submit(self, values: Mapping[str, Any] | None = None) -> Submission:
        """Fill and submit the open modal; waits for the app's acknowledgement. With errors it stays open."""
        view = self.fill(values or {})
        missing = filling.missing(view)
        if missing:
            view.errors = missing
            return Submission(missing, None, view)
        acts = self.world.interactions
        trigger = acts.trigger(self, view)
        payload = acts.common("view_submission", self)
        payload |= {"trigger_id": trigger.id, "view": view.json(), "response_urls": []}
        act = await acts.send(self, "submission", payload, trigger=trigger).done()
        if act.taken:
            self.world.viewing.submitted(self, view, act)
        shown = self.modals[-1] if self.modals else None
        return Submission(dict(view.errors) if shown is view else {}, act, shown)

    async def close(self, *, everything: bool = False) -> Interaction | None:
        """Close the modal on top (the one below appears), or all of them with the cross. The app is told if
        it asked to be."""
        view = self.modals[-1]
        gone = list(self.modals) if everything or view.body.get("clear_on_close") else [view]
        for one in gone:
            self.modals.remove(one)
            one.closed = True
        self.world.stir()
        if not view.body.get("notify_on_close"):
            return None
        payload = self.world.interactions.common("view_closed", self)
        payload |= {"view": view.json(), "is_cleared": everything}
        return self.world.interactions.send(self, "close", payload)

    async def look_up(self, where: Message | View, what: str, query: str) -> list[str]:
        """Type into a menu the app fills (external_select): the labels it offers."""
        block, element = filling.find([where.blocks], what, query)
        acts = self.world.interactions
        payload = acts.common("block_suggestion", self) | {"value": query, "action_id": element["action_id"]}
        payload |= {"block_id": block["block_id"]}
        if isinstance(where, View):
            payload |= {"container": {"type": "view", "view_id": where.id}, "view": where.json()}
        else:
            payload |= {"container": {"type": "message", "message_ts": where.ts}, "message": where.json()}
        act = await acts.send(self, "suggestion", payload).done()
        offered = filling.options(act.delivery.answer or {})
        element["options"] = offered
        return [mrkdwn.unescape(one["text"]["text"]) for one in offered]

    async def open_home(self, tab: str = "home") -> None:
        """Open the app: its Home tab, or its messages. `home` is what they see there once it is published."""
        self.world.tell.home_opened(self, tab, self.home if tab == "home" else None)

    def sees_privately(self, words: str, channel: Channel | None = None) -> bool:
        """Whether an ephemeral message with these words is before their eyes."""
        return any(words in one.shown for one in (channel or self.dm).private_to(self))
