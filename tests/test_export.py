"""The export tells what is still on its way, and does not tell what that says."""

import json

from bot import export
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.inbox.model import Event
from core.outbox import actions as outbox
from core.outbox import store as parcels
from core.outbox.model import Parcel
from tests.town import Town


async def test_what_waits_and_what_was_given_up_is_in_the_export_without_its_words(town: Town) -> None:
    async def work(tx: Transaction) -> None:
        await inbox.add(tx, "telegram", "7", [Event("e1", "chat:5", {"text": "between us"})])
        for words in ("to wait", "to be given up"):
            await outbox.put(tx, Parcel("message", {"message": words}, room=f"web:u-{words[-2:]}"))
        (first,) = await parcels.lease(tx, (await parcels.heads(tx, (), 10))[:1], tx.now)
        await outbox.give_up(tx, first, "403 blocked")

    await town.database.write(work)
    told = (await town.database.read(export.everything))["waiting"]
    (event,) = told["events"]
    assert (event["lane"], event["state"], event["attempts"]) == ("telegram/7/chat:5", "new", 0)
    given_up, waits = told["parcels"]
    assert (given_up["state"], given_up["error"], given_up["kind"]) == ("dead", "403 blocked", "message")
    assert (waits["state"], waits["room"]) == ("pending", "web:u-up")
    assert "between us" not in json.dumps(told)
    assert "to be given" not in json.dumps(told)


async def test_what_was_handled_and_delivered_does_not_wait(town: Town) -> None:
    await town["ivan"].say("VPN drops every ten minutes")
    assert (await town.database.read(export.everything))["waiting"] == {"events": [], "parcels": []}
