"""The desk of a kill run: a team and a queue for each line of conversation, two in each messenger."""

from tests.emulators.slack import Slack
from tests.emulators.telegram import Telegram

TEAM = "T0ACME"
WEB, TELEGRAM, SLACK = ("vpn", "mail"), ("printer", "scanner"), ("phone", "screen")
"""What people's troubles are about: each is a queue with a room and an agent of its own."""
HEAD = """
[database]
url = "{database}"

[web]
port = {port}
public_url = "{own}"

[desk]
files = "{files}"
rating_every = "3650d"
flood_after = 10000
time_zone = "UTC"

[telegram]
token = "<telegram.token>"
api_url = "<telegram.url>"

[slack]
bot_token = "<slack.bot_token>"
app_token = "<slack.app_token>"
signing_secret = "<slack.signing_secret>"
api_url = "<slack.api_url>"
mode = "socket"

[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]

[[escalations]]
name = "quick"
priorities = ["critical"]
steps = [
  { after = "1s", of = "unclaimed", whom = "agents" },
  { after = "3s", of = "unclaimed", whom = "agents" },
  { after = "6s", of = "unclaimed", whom = "lead" },
]

[[escalations]]
name = "never"
priorities = ["high", "normal", "low"]
steps = [{ after = "4w", of = "unclaimed", whom = "lead" }]
"""
QUEUE = """
[[people]]
name = "Agent of {name}"
identities = ["{agent}"]
roles = ["agent"]
queues = ["{name}"]

[[people]]
name = "Requester of {name}"
identities = ["web:r-{name}"]

[[queues]]
name = "{name}"
spaces = ["{space}"]
plain_text = "reply"

[[request_types]]
name = "{name}"
title = "{name}"
keywords = ["{name}"]

[[request_types.questions]]
name = "where"
text = "Where are you?"
options = ["Office", "Home"]
"""


def group(place: int) -> int:
    return -1001234567890 - place


def written(telegram: Telegram, slack: Slack) -> str:
    """The configuration; everybody it names is in the messengers by now."""
    config = HEAD
    for secret in ("telegram.token", "telegram.url"):
        config = config.replace(f"<{secret}>", getattr(telegram, secret.partition(".")[2]))
    for secret in ("slack.bot_token", "slack.app_token", "slack.signing_secret", "slack.api_url"):
        config = config.replace(f"<{secret}>", getattr(slack, secret.partition(".")[2]))
    for name in WEB:
        config += QUEUE.format(name=name, agent=f"web:a-{name}", space=f"web:{name}")
    for place, name in enumerate(TELEGRAM):
        agent = telegram.user(500 + place, f"Agent {place}", started=True)
        telegram.group(group(place), name, forum=True, members=[agent])
        config += QUEUE.format(name=name, agent=f"telegram:{500 + place}", space=f"telegram:{group(place)}")
    for place, name in enumerate(SLACK):
        someone = slack.user(f"Agent {place}", id=f"U050{place}", locale="en-US")
        channel = slack.channel(name, members=[someone])
        config += QUEUE.format(
            name=name, agent=f"slack:{TEAM}/{someone.id}", space=f"slack:{TEAM}/{channel.id}"
        )
    return config
