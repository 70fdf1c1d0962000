"""response_url and commands' answers: messages of the app that need no channel and no scope."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.emulators.slack import blocks, mrkdwn
from tests.emulators.slack.messages import Message
from tests.emulators.slack.refusals import Refused

if TYPE_CHECKING:
    from tests.emulators.slack.channels import Channel
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack

RESPONSES = 5
RESPONSE_LIVES_FOR = 30 * 60


@dataclass(eq=False)
class ResponseAddress:
    """Handling user interaction: a response_url, good for five messages in half an hour."""

    path: str
    channel: "Channel"
    user: "Person"
    born: float
    message: Message | None = None
    used: int = 0


def use(world: "Slack", address: ResponseAddress | None, told: dict[str, Any]) -> Message | None:
    """Handling user interaction: five times in thirty minutes."""
    if address is None:
        raise Refused("no_service")
    if world.times.now() - address.born > RESPONSE_LIVES_FOR:
        raise Refused("expired_url")
    if address.used >= RESPONSES:
        raise Refused("used_url")
    said = respond(world, address, told)
    address.used += 1
    return said


def respond(world: "Slack", address: ResponseAddress, told: dict[str, Any]) -> Message | None:
    """`response_type` ephemeral (the default) or in_channel; `replace_original` and `delete_original` are
    about the message that was acted on."""
    original = address.message
    if told.get("delete_original"):
        if original is not None:
            before = original.json()
            original.channel.drop(original)
            if original.only_for is None:
                world.tell.removed(original, before)
        return None
    found = blocks.for_message(told["blocks"]) if told.get("blocks") else []
    attachments = list(told.get("attachments") or [])
    text = mrkdwn.normal(str(told.get("text") or ""))
    if not (text or found or attachments):
        if told.keys() <= {"response_type"}:
            return None
        raise Refused("no_text")
    if told.get("replace_original") and original is not None:
        before = original.json()
        original.edits.append(original.text)
        original.past.append(original.blocks)
        original.text, original.blocks, original.attachments = text, found, attachments
        if original.only_for is None:
            world.tell.changed(original, before)
        world.stir()
        return original
    public = told.get("response_type") == "in_channel"
    thread = str(told.get("thread_ts") or "")
    said = address.channel.add(
        world.bot,
        text=text,
        blocks=found,
        attachments=attachments,
        thread_ts=thread,
        only_for=None if public else address.user,
    )
    if public:
        world.tell.said(said)
    return said
