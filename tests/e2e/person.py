"""Somebody before the page: says, presses, fills in and reads in their own language."""

import re
from datetime import UTC, datetime

from playwright.sync_api import FrameLocator, Locator, Page, expect

from bot import i18n
from bot.message import Plain, Words

HOURS = "@"
"""Stands in a sentence for a time of day."""
_TITLES = {
    "VPN drops every ten minutes": "VPN отключается каждые десять минут",
    "Home": "Из дома",
    "The office": "Из офиса",
    "Only me": "Только у меня",
    "Everybody": "У всех",
    "Network": "Сеть",
    "Where are you working from?": "Откуда вы работаете?",
    "Who is affected?": "У кого это случилось?",
    "Did anything change just before?": "Что изменилось перед этим?",
}
"""What the demo's configuration says, in both languages."""


class Voice:
    """The desk's words in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str, *, count: int | None = None, **facts: str | int) -> str:
        told = {name: Plain(str(fact)) for name, fact in facts.items()}
        now = datetime.now(UTC)
        return i18n.word(Words(key, told, count), self.language, time_zone="UTC", now=now)

    def title(self, english: str) -> str:
        """Words of the configuration."""
        return english if self.language == "en" else _TITLES[english]


def sentence(words: str) -> re.Pattern[str]:
    """Matches the words with any time of day where HOURS stands."""
    return re.compile(re.escape(words).replace(HOURS, r"\d\d:\d\d"))


class Person:
    """Somebody at a page of their own or in a frame of the demo."""

    def __init__(self, at: Page | FrameLocator, voice: Voice, *, touch: bool = False) -> None:
        self.at = at
        self.voice = voice
        self.touch = touch
        self.log = at.locator("#log")
        self.text = at.locator("#composer textarea")
        self.card = at.locator("article.card")
        self.pings = at.locator("[data-ping]")

    def says(self, text: str) -> None:
        """Type and send: with Enter, or with the finger where Enter makes a new line."""
        self.text.fill(text)
        if self.touch:
            self.at.locator("#composer [type=submit]").tap()
        else:
            self.text.press("Enter")

    def button(self, key: str) -> Locator:
        """The newest button with these words of the desk in the conversation."""
        return self.log.get_by_role("button", name=self.voice(key), exact=True).last

    def presses(self, key: str) -> None:
        self.button(key).click()

    def chooses(self, english: str) -> None:
        """Press an answer that the configuration offers."""
        self.log.get_by_role("button", name=self.voice.title(english), exact=True).last.click()

    def reads(self, key: str, *, count: int | None = None, **facts: str | int) -> None:
        """Wait until these words of the desk stand in the conversation."""
        expect(self.log).to_contain_text(sentence(self.voice(key, count=count, **facts)))

    def is_asked(self, english: str) -> None:
        """Wait until the newest message puts this question."""
        expect(self.newest).to_contain_text(self.voice.title(english))

    @property
    def newest(self) -> Locator:
        return self.log.locator("[data-message]").last

    def message(self, text: str) -> Locator:
        """Whatever in the conversation says this."""
        return self.log.locator("[data-message]").filter(has_text=text, visible=True)

    # ---- at a ticket's card

    def acts(self, key: str) -> None:
        """Press a button of the card."""
        self.card.get_by_role("button", name=self.voice(key), exact=True).click()

    def picks(self, key: str) -> None:
        """Choose from the card's "More"."""
        self.card.get_by_role("button", name=self.voice("page.more"), exact=True).click()
        self.at.get_by_role("menuitem", name=self.voice(key), exact=True).click()

    def fills(self, submit: str, text: str = "", choice: str = "") -> None:
        """Fill in the open form and send it."""
        dialog = self.at.get_by_role("dialog")
        if choice:
            dialog.get_by_role("radio", name=choice, exact=True).check()
        if text:
            dialog.locator("textarea").fill(text)
        dialog.get_by_role("button", name=self.voice(submit), exact=True).click()
        expect(dialog).to_have_count(0)

    def finds_on_card(self, key: str, *, count: int | None = None, **facts: str | int) -> None:
        expect(self.card).to_contain_text(sentence(self.voice(key, count=count, **facts)))
