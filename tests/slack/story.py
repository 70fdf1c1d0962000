"""What the desk really says, from the first words to the rating, as it is stored: heard at the web chat.

`python -m tests.slack.story` writes anew how each of these messages looks in Slack.
"""

import asyncio
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot import i18n
from bot.adapters.port import Reader
from bot.adapters.slack import render, views
from bot.adapters.webchat import store
from bot.flows import home
from bot.message import Call, Form, Message
from core.database.transaction import Transaction
from core.people import store as people
from tests.flows.conftest import DEMO, Stage
from tests.town import Shown, Somebody, town

LOOKS = Path(__file__).parents[1] / "payloads" / "slack" / "out"
TEAM = "T01"
WORDS = {
    "en": (
        "VPN drops every ten minutes\nSince the update it says <error 17> & reconnects, see https://wiki.example.org/vpn",
        "It is *worse* today",
        "Please send me the log: <@U02> knows where it is, or ask in #network",
        "He is on the old client, not for him to read",
        "Reinstalled the TAP driver",
        "Waiting for the provider",
    ),
    "ru": (
        "VPN отваливается каждые десять минут\nПосле обновления пишет <ошибка 17> & переподключается, см. https://wiki.example.org/vpn",
        "Сегодня ещё *хуже*",
        "Пришлите, пожалуйста, журнал: <@U02> знает, где он, или спросите в #network",
        "У него старый клиент, ему об этом не пишем",
        "Переустановили драйвер TAP",
        "Ждём провайдера",
    ),
}


@dataclass
class Story:
    """Messages, forms and pages by what they are, and when they were read."""

    stage: Stage
    messages: dict[str, tuple[Message, datetime]] = field(default_factory=dict)
    forms: dict[str, tuple[Form, datetime]] = field(default_factory=dict)
    pages: dict[str, tuple[Message, datetime]] = field(default_factory=dict)

    async def keep(self, name: str, shown: Shown) -> None:
        """Remember how a message stands now, and the forms it opens."""
        entry = await self.stage.town.database.read(lambda tx: store.get(tx, shown.id))
        assert entry is not None
        now = self.stage.town.clock.now()
        self.messages[name] = (entry.message, now)
        for choice in (choice for row in entry.message.rows for choice in row):
            if choice.form is not None:
                self.forms.setdefault(choice.form.code.split(".")[1], (choice.form, now))

    async def last(self, name: str, somebody: Somebody) -> None:
        """The newest message in somebody's own conversation."""
        said = [each for each in await somebody.sees() if not each.mine and each.thread is None]
        await self.keep(name, [each for each in said if each.tone != "card"][-1])

    async def below(self, name: str, number: int = 1) -> None:
        """The newest message in a ticket's thread."""
        await self.keep(name, (await self.stage.anna.thread(number))[-1])

    async def home(self, name: str, somebody: Somebody) -> None:
        """The page of somebody who has one."""

        async def composed(tx: Transaction) -> Message:
            person = await people.by_identity(tx, somebody.identity)
            assert person is not None
            return await home.compose(tx, person)

        message = await self.stage.town.database.read(composed)
        self.pages[name] = (message, self.stage.town.clock.now())

    async def card(self, name: str, number: int = 1) -> None:
        await self.keep(name, await self.stage.anna.card(number))


async def heard(stage: Stage) -> Story:
    """The story of one ticket that matters, and of some others."""
    story, w, ivan, anna = Story(stage), stage.w, stage.ivan, stage.anna
    first, more, reply, note, solution, hold = WORDS[stage.language]
    await ivan.say(first, files=[("log.txt", b"17")])
    await story.last("intake question", ivan)
    await stage.answer_all(ivan)
    await story.last("intake summary", ivan)
    await ivan.press(w("button.edit"))
    await story.last("intake edit", ivan)
    await ivan.press(w("button.back"))
    await ivan.press(w("button.send"))
    await story.last("opened", ivan)
    await story.card("card new")
    await stage.town.later(timedelta(seconds=15), step=timedelta(seconds=1))
    await story.last("ping", anna)
    await story.below("event")
    await anna.press(w("button.take"))
    await story.last("work taken", anna)
    pings = [each for each in await anna.sees() if each.tone == "ping" and each.thread is None]
    await story.keep("ping answered", pings[-1])
    await story.last("claimed", ivan)
    await ivan.say(more)
    await story.below("request")
    await anna.fill(w("button.reply"), text=reply)
    await story.below("reply")
    await story.last("reply to the requester", ivan)
    await anna.fill(w("button.note"), note=note)
    await story.below("note")
    await story.card("card taken")
    await anna.fill(w("button.hold"), until="", note=hold)
    await story.card("card on hold")
    await ivan.say("/my")
    await story.last("list of mine", ivan)
    await ivan.say("/status 1")
    await story.last("status", ivan)
    await ivan.say("/new")
    await stage.report(ivan, stage.printer)
    await ivan.say(more)
    await story.last("passed on", ivan)
    await anna.say("/queue")
    await story.last("queue", anna)
    await anna.say("/timeline 1")
    await story.last("timeline", anna)
    await anna.say("/take 99")
    await story.last("mistake", anna)
    await story.home("home of an agent", anna)
    await anna.say("/help")
    await story.last("help", anna)
    await anna.say("/resume 1")
    await anna.say(f"/resolve 1 {solution}")
    await story.card("card resolved")
    await story.last("is it fixed", ivan)
    await ivan.press(w("button.fixed"))
    await story.last("rating", ivan)
    await story.home("home of a requester", ivan)
    await ivan.press("★★★★")
    await story.card("card closed")
    message, at = story.messages["ping"]
    call = Call("Anna Smirnova", ("web:anna", "slack:T01/U07"))
    story.messages["ping in the channel"] = (replace(message, call=call), at)
    return story


def looks(story: Story) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every message, form and page of the story as it is handed to Slack, under the name of its file."""
    language = story.stage.language
    reader = Reader(language, "UTC")
    for name, (message, at) in story.messages.items():
        shown = render.look(message, reader, at, TEAM)
        parts = [{"text": part.text, "blocks": list(part.blocks)} for part in shown.parts]
        yield f"{name.replace(' ', '_')}.{language}.json", {"parts": parts}
    for name, (form, at) in story.forms.items():
        yield f"form_{name}.{language}.json", views.modal(form, reader, at, "slack:T01/C02#1772442000.000100")
    for name, (message, at) in story.pages.items():
        yield f"{name.replace(' ', '_')}.{language}.json", views.home(message, reader, at)


async def _write() -> None:
    for old in LOOKS.glob("*.json"):
        old.unlink()
    LOOKS.mkdir(parents=True, exist_ok=True)
    for language in i18n.languages:
        with tempfile.TemporaryDirectory() as folder:
            async with town(Path(folder), DEMO.format(language=language)) as opened:
                for name, look in looks(await heard(Stage(opened, language))):
                    text = json.dumps(look, ensure_ascii=False, indent=1)
                    (LOOKS / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write())
