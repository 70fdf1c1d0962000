"""The demo's page with a requester and an agent side by side, and pages of others beside it."""

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

from tests.e2e.desk import Desk
from tests.e2e.person import Person, Voice

WIDE = {"width": 1360, "height": 860}
LANGUAGES = {"en": "English", "ru": "Русский"}


class Scene:
    """One desk and one browser, in one language."""

    def __init__(self, desk: Desk, context: BrowserContext, language: str) -> None:
        self.desk = desk
        self.context = context
        self.voice = Voice(language)
        self.forgiven: tuple[str, ...] = ()
        """What the browser may complain about here."""
        self._told: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._told.append(str(error.error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._told.append(f"{message.type}: {message.text}")

    @property
    def complaints(self) -> list[str]:
        """Errors, warnings and breaches of the content security policy in the browser's console."""
        return [told for told in self._told if not any(words in told for words in self.forgiven)]

    def side_by_side(self, *, touch: bool = False) -> tuple[Person, Person]:
        """Ivan, who needs help, and Anna, who answers, on the demo's page in the scene's language."""
        self.page = self.context.new_page()
        if self.page.viewport_size is not None and self.page.viewport_size["width"] == 1280:
            self.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        self.page.goto(self.desk.address)
        if self.voice.language != "en":
            self.page.get_by_role("button", name=LANGUAGES[self.voice.language], exact=True).click()
        expect(self.page.locator("html")).to_have_attribute("lang", self.voice.language)
        ivan = Person(self.page.frame_locator("#frame-0"), self.voice, touch=touch)
        anna = Person(self.page.frame_locator("#frame-1"), self.voice, touch=touch)
        expect(ivan.at.get_by_test_id("welcome")).to_contain_text(self.voice("page.welcome.title"))
        return ivan, anna

    def alone(self, seat: str) -> tuple[Page, Person]:
        """Somebody of the demo in a tab of their own, whose language nobody has changed."""
        page = self.context.new_page()
        if not self.context.cookies():
            page.goto(self.desk.address)  # the demo signs everybody in
        page.goto(f"{self.desk.address}/s/{seat}/")
        return page, Person(page, Voice("en"))


def reports(person: Person, urgency: str = "normal") -> None:
    """Through the whole intake, with the answers that come first to mind."""
    title = person.voice.title
    person.says(title("VPN drops every ten minutes"))
    person.chooses("Home")
    person.chooses("Everybody")
    person.is_asked("Did anything change just before?")
    person.presses("button.skip")
    person.presses(f"urgency.{urgency}")
    person.presses("button.send")
    topic = title("VPN drops every ten minutes")
    person.reads("told.opened", ticket=1, title=topic, queue=title("Network"), at="@")
