"""Slack on loopback: the Web API, sockets and signed requests, and the people who work in the workspace.

async with Slack(time_scale=0.01, patience=3) as slack:
    ann = slack.user("Ann Lee", locale="ru-RU", tz="Europe/Moscow")
    boris = slack.user("Boris Orlov")
    triage = slack.channel("triage", members=[boris])
    …start the app: base_url `slack.api_url`, `slack.bot_token`, `slack.app_token`, `slack.signing_secret`…
    await slack.connected(2)                    # or: await slack.use_http("http://127.0.0.1:8080/slack/events")
    await ann.send("The printer is on fire")    # to the bot; channel=, thread=, files=[File(…)], markup=
    card = await triage.sees("printer")
    act = await boris.press(card, "Take it")    # by label; a menu's option: press(card, "", "Resolve")
    await act.done()                            # act.taken, act.trouble, act.said
    await boris.command("/desk take 42", channel=triage)
    await boris.shortcut("make_ticket", card)
    form = await boris.modal("New ticket")
    sent = await boris.submit({"Subject": "VPN", "Urgency": "High"})  # sent.accepted, sent.errors, sent.view
    await ann.open_home()                       # ann.home.shown, ann.press(ann.home, "Reopen")

What really happened: `slack.calls`, `slack.deliveries.told` (with its tries), `slack.told("app_mention")`,
`channel.messages`, `channel.private_to(user)`, `user.modals`, `user.home`, `user.troubles`; of a message
`shown`, `pings`, `links`, `buttons`, `replies`, `edits`, `reactions`, `metadata`.

Trouble: `slack.fail("chat.postMessage", "cut after")`, `slack.flood`, `slack.go_down`, `slack.uninstall`,
`slack.revoked = True`, `slack.scopes.discard(…)`, `slack.sockets.refresh`, `.cut`, `.deafen`, `.disable`,
`slack.deliveries.again(delivery)`. Waiting: `slack.until`, `slack.settled`, `slack.idle`, `channel.sees`.
"""

from tests.emulators.slack.calls import Call
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.delivery import Delivery
from tests.emulators.slack.files import File
from tests.emulators.slack.interactions import Interaction, Submission
from tests.emulators.slack.messages import Message
from tests.emulators.slack.people import User
from tests.emulators.slack.rates import Rates
from tests.emulators.slack.views import View
from tests.emulators.slack.world import Slack

__all__ = [
    "Call",
    "Channel",
    "Delivery",
    "File",
    "Interaction",
    "Message",
    "Rates",
    "Slack",
    "Submission",
    "User",
    "View",
]
