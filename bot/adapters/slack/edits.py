"""Edits that overtake what they edit: what Slack cannot bring at once it brings again as it was written."""

from collections import OrderedDict
from contextlib import suppress

from bot.adapters.slack import envelope
from bot.adapters.slack.envelope import Json

REMEMBERED = 2000


class Edits:
    """The newest words of the messages that were edited last, by channel and timestamp."""

    def __init__(self) -> None:
        self._newest: OrderedDict[tuple[str, str], Json] = OrderedDict()

    def applied(self, payload: Json) -> Json:
        """The payload; where it tells of a message that was edited before it came, with the new words."""
        with suppress(*envelope.ODD):
            event = payload.get("event") or {}
            if event.get("subtype") == "message_changed":
                self._remember(event["channel"], event["message"])
            elif envelope.says(payload) and "edited" not in event:
                newest = self._newest.get((event["channel"], event["ts"]))
                return payload if newest is None else {**payload, "event": {**event, **newest}}
        return payload

    def _remember(self, channel: str, message: Json) -> None:
        if "edited" not in message:
            return
        self._newest[channel, message["ts"]] = {
            "text": str(message["text"]),
            "blocks": message.get("blocks"),
        }
        self._newest.move_to_end((channel, message["ts"]))
        while len(self._newest) > REMEMBERED:
            self._newest.popitem(last=False)
