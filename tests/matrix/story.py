"""One ticket seen from three messengers: who did what, and what changed before whose eyes.

`python -m tests.matrix.story` writes docs/one-ticket.md anew; read the difference before keeping it."""

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from tests.emulators.telegram.chats import Chat
from tests.matrix.seats import SlackAgent, TelegramAgent, TelegramRequester, WebAgent
from tests.matrix.world import World, world

PAGE = Path(__file__).parent.parent.parent / "docs" / "one-ticket.md"
HEAD = """# One ticket, three messengers

Ivan asks for help in Telegram. The team sees the ticket in a Slack channel, in a Telegram group and on the
web page; whoever of them does something, everybody sees it at once. Below is what really stood on each screen
after each step, as the platforms were told it; of a message that changed, its first line and what is new in
it. A test plays the story and keeps this page true.
"""
Screen = Mapping[object, str]


class Story:
    """The people, and what has been seen of each screen."""

    def __init__(self, town: World) -> None:
        self.world = town
        self.ivan = TelegramRequester(town)
        self.anna = SlackAgent(town, "en")
        self.boris = TelegramAgent(town, "en")
        self.maria = WebAgent(town, "en")
        self._seen: dict[str, Screen] = {}
        self.page = [HEAD]

    async def _screens(self) -> dict[str, Screen]:
        town = self.world
        web = await town["maria"].sees()
        return {
            "Ivan in Telegram": _telegram(town.telegram.users[501].chat),
            "Slack, the team's channel": {
                each.ts: _told(each.shown, each.buttons) for each in town.channel.from_bot
            },
            "Telegram, the team's group": _telegram(town.group),
            "The web page": {
                each.id: _told("\n".join(filter(None, (_author(each.author), each.text))), list(each.buttons))
                for each in web
                if not each.deleted
            },
        }

    async def act(self, what: str) -> None:
        """Write down what changed since the last look."""
        self.world.clock.advance(timedelta(minutes=1))
        self.page.append(f"\n## {what}\n")
        now = await self._screens()
        for name, screen in now.items():
            before = self._seen.get(name, {})
            fresh = [
                _changes(before.get(key, ""), words)
                for key, words in screen.items()
                if before.get(key) != words
            ]
            if fresh:
                self.page += [f"**{name}**\n", *(_block(words) for words in fresh)]
        self._seen = now


def _changes(before: str, now: str) -> str:
    """Of something that stood there before: its first line and those that are new."""
    if not before:
        return now
    first, *others = now.splitlines()
    return "\n".join([first, *(line for line in others if line not in before.splitlines())])


def _author(name: str) -> str:
    return "" if name == "Help desk" else name


def _telegram(chat: Chat) -> Screen:
    return {
        each.id: _told(each.text, each.buttons) for each in chat.from_bot if each.text and not each.deleted
    }


def _told(words: str, buttons: Sequence[str] | Mapping[str, str]) -> str:
    row = " ".join(f"[{label}]" for label in buttons)
    return f"{words.strip()}\n{row}".strip()


def _block(words: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in words.splitlines())


async def told() -> str:
    """The page."""
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as town:
            story = Story(town)
            await story.ivan.says("VPN drops every ten minutes")
            for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
                await story.ivan.presses(label)
            await story.act("Ivan has reported it: every room has a card")
            await story.anna.presses("Take it")
            await story.act("Anna takes it, in Slack")
            await story.anna.fills("Reply", "The requester reads this", "Which version of the client is it?")
            await story.act("Anna replies, in Slack")
            await story.ivan.says("5.1, since Monday")
            await story.act("Ivan answers, in Telegram")
            await story.boris.notes("5.1 is known for this, 5.2 mends it")
            await story.act("Boris leaves a note, in the Telegram group: Ivan does not see it")
            await story.maria.commands("reply", "Please update to 5.2: it is in the software centre.")
            await story.act("Maria replies, on the web page")
            await story.anna.fills("Resolve", "What helped? The requester reads it", "Updated to 5.2")
            await story.act("Anna resolves it, in Slack")
            await story.ivan.presses("Yes, it is fixed")
            await story.act("Ivan confirms, in Telegram")
            return "\n".join(story.page)


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(told()), encoding="utf-8")
