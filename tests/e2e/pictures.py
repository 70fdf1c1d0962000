"""Takes the README's pictures anew: python -m tests.e2e.pictures (needs Chromium and ImageMagick)."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.conftest import ARGS, NAMES
from tests.e2e.desk import ROOT, Desk
from tests.e2e.person import Person
from tests.e2e.scene import Scene

PICTURES = ROOT / "docs" / "pictures"
WIDE = {"viewport": {"width": 1360, "height": 860}}
NARROW = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
SAID = {
    "en": (
        "VPN drops every ten minutes",
        "The printer on the third floor prints blank pages",
        "Have you restarted the client since the update?",
        "Yes, twice. It holds for ten minutes and then drops again.",
        "Same driver as last week: roll it back.",
        "Thank you. I am rolling the driver back now; you will be online in five minutes.",
    ),
    "ru": (
        "VPN отключается каждые десять минут",
        "Принтер на третьем этаже печатает пустые страницы",
        "Перезапускали клиент после обновления?",
        "Да, дважды. Держится десять минут и снова отключается.",
        "Тот же драйвер, что на прошлой неделе: откатываем.",
        "Спасибо. Возвращаю прежний драйвер, через пять минут всё заработает.",
    ),
}


def play(ivan: Person, anna: Person) -> None:
    """A ticket under way, and another one beside it."""
    voice = ivan.voice
    vpn, printer, question, answer, note, promise = SAID[voice.language]
    ivan.says(printer)
    ivan.log.get_by_role(
        "button", name={"en": "Printer", "ru": "Принтер"}[voice.language], exact=True
    ).click()
    ivan.presses("button.skip")
    ivan.presses("urgency.normal")
    ivan.presses("button.send")
    ivan.reads("told.opened_hint")
    ivan.says("/new")
    ivan.reads("intake.ask_describe")
    ivan.says(vpn)
    ivan.chooses("Home")
    ivan.chooses("Only me")
    ivan.presses("button.skip")
    ivan.presses("urgency.high")
    ivan.presses("button.send")
    expect(anna.at.locator('.ticket-row[data-ticket="2"]')).to_be_visible()
    anna.at.locator('.ticket-row[data-ticket="2"]').click()
    anna.acts("button.take")
    replies(anna, question)
    expect(ivan.message(question)).to_be_visible()
    ivan.says(answer)
    expect(anna.message(answer)).to_be_visible()
    anna.says(note)
    expect(anna.message(note)).to_be_visible()
    replies(anna, promise)
    expect(ivan.message(promise)).to_be_visible()
    expect(anna.message(promise)).to_contain_text(voice("said.delivered"))
    expect(anna.button("button.undo")).to_have_count(0)


def replies(anna: Person, text: str) -> None:
    anna.text.fill(text)
    anna.at.get_by_test_id("send-reply").click()


def take(page: Page, name: str) -> None:
    """Without focus rings and in few colours."""
    for frame in page.frames:
        frame.evaluate("document.activeElement?.blur()")
    page.mouse.move(680, 30)
    page.wait_for_timeout(400)
    raw = Path(tempfile.gettempdir()) / name
    page.screenshot(path=raw)
    out = str(PICTURES / name)
    subprocess.run(["convert", raw, "-strip", "-dither", "None", "-colors", "200", f"PNG8:{out}"], check=True)
    raw.unlink()


def story(browser: Browser, language: str, scheme: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(Path(folder))
        context = browser.new_context(timezone_id="UTC", color_scheme=scheme, **WIDE)  # type: ignore[arg-type]
        desk.start()
        try:
            scene = Scene(desk, context, language)
            play(*scene.side_by_side())
            take(scene.page, "desk.png" if language == "en" else "desk-ru.png")
            if language == "en":
                phone(browser, desk)
        finally:
            desk.stop()
            context.close()


def phone(browser: Browser, desk: Desk) -> None:
    context = browser.new_context(timezone_id="UTC", **NARROW)  # type: ignore[arg-type]
    page, ivan = Scene(desk, context, "en").alone("ivan")
    expect(ivan.newest).to_be_in_viewport()
    take(page, "phone.png")
    context.close()


def main() -> None:
    path = next(found for name in NAMES if (found := shutil.which(name)))
    PICTURES.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        story(browser, "en", "light")
        story(browser, "ru", "dark")
        browser.close()


if __name__ == "__main__":
    main()
