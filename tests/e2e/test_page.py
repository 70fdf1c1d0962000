"""The page as a place to be: keys alone, a phone, screen readers, languages, and where the eyes are led."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import audit
from tests.e2e.person import HOURS, Person, Voice
from tests.e2e.scene import Scene, reports

Open = Callable[..., Scene]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_FOCUSED = "document.activeElement.ariaLabel ?? document.activeElement.textContent"


# ---- keys alone


def walk_to(page: Page, name: str, *, back: bool = False) -> None:
    """Tab until the focus stands on what has this name."""
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(_FOCUSED).strip() == name:
            return
    raise AssertionError(f"the Tab key does not lead to {name!r}")


def test_a_requester_needs_no_mouse(open_scene: Open) -> None:
    page, ivan = open_scene().alone("ivan")
    expect(ivan.text).to_be_focused()
    page.keyboard.type("VPN drops every ten minutes")
    page.keyboard.press("Enter")
    for question, answer in (
        ("Where are you working from?", "Home"),
        ("Who is affected?", "Back"),
        ("Where are you working from?", "The office"),
        ("Who is affected?", "Only me"),
        ("Did anything change just before?", "Skip"),
        ("How badly", "It slows me down"),
        ("This is what I send", "Send"),
    ):
        expect(ivan.newest).to_contain_text(question)
        expect(ivan.newest.get_by_role("button", name=answer, exact=True)).to_be_enabled()
        expect(ivan.text).to_be_focused()
        walk_to(page, answer, back=True)
        page.keyboard.press("Enter")
    ivan.reads("told.opened", ticket=1, title="VPN drops every ten minutes", queue="Network", at=HOURS)


def test_an_agent_needs_no_mouse(open_scene: Open) -> None:
    scene = open_scene()
    _, ivan = scene.alone("ivan")
    reports(ivan)
    page, anna = scene.alone("anna")
    expect(anna.card).to_be_visible()
    walk_to(page, "Take it")
    page.keyboard.press("Enter")
    anna.finds_on_card("card.owner", name="Anna Smirnova")
    walk_to(page, "Reply")
    page.keyboard.press("Enter")
    expect(anna.at.get_by_role("dialog").locator("textarea")).to_be_focused()
    page.keyboard.type("On my way.")
    page.keyboard.press("Control+Enter")
    expect(ivan.message("On my way.")).to_be_visible()
    walk_to(page, "More")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(anna.at.get_by_role("menu")).to_be_hidden()
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    page.keyboard.press("Enter")
    expect(anna.at.get_by_role("dialog")).to_contain_text("Priority of #1")


# ---- a phone


def test_a_phone_is_enough(open_scene: Open) -> None:
    scene = open_scene(**PHONE)
    ivan, anna = scene.side_by_side(touch=True)
    expect(scene.page.locator("#frame-1")).to_be_hidden()
    reports(ivan)
    expect(scene.page.locator("#tab-1 .badge")).to_have_text("1")
    scene.page.get_by_role("tab", name="Anna Smirnova").click()
    anna.at.locator('.ticket-row[data-ticket="1"]').click()
    anna.acts("button.take")
    anna.text.fill("We look into it.")
    anna.at.get_by_test_id("send-reply").click()
    expect(anna.message("We look into it.")).to_be_in_viewport()
    assert look(scene.page) == []
    anna.at.get_by_role("button", name="Back to the list").click()
    expect(anna.at.locator(".ticket-row")).to_be_visible()
    scene.page.get_by_role("tab", name="Ivan Petrov").click()
    expect(ivan.message("We look into it.")).to_be_in_viewport()


# ---- screen readers, weak eyes, both languages


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
def test_everything_has_a_name_and_can_be_read(open_scene: Open, language: str, scheme: str) -> None:
    scene = open_scene(language, color_scheme=scheme)
    ivan, anna = scene.side_by_side()
    found = look(scene.page)
    reports(ivan)
    anna.acts("button.take")
    anna.says("The driver again.")
    anna.text.fill("Please restart it.")
    anna.at.get_by_test_id("send-reply").click()
    expect(ivan.message("Please restart it.")).to_be_visible()
    expect(anna.message("Please restart it.")).to_contain_text(anna.voice("said.delivered"))
    found += look(scene.page)
    anna.picks("button.priority")
    found += look(scene.page)
    scene.page.keyboard.press("Escape")
    anna.at.get_by_test_id("desk-tab").click()
    anna.says("/help")
    expect(anna.newest).to_contain_text("/queue")
    found += look(scene.page)
    for address in ("/sign-in", "/s/anna/", "/s/ivan/"):
        page = scene.context.new_page()
        page.goto(scene.desk.address + address)
        expect(page.locator("h1")).to_be_visible()
        if address != "/sign-in":
            expect(page.locator("html")).to_have_attribute("lang", language)
        found += look(page)
    assert found == []


def look(page: Page) -> list[str]:
    """What is wrong on the page and in its frames, once colours and logs have settled."""
    page.wait_for_timeout(400)
    return [f"{frame.url}: {problem}" for frame in page.frames for problem in audit.problems(frame)]


def test_the_page_follows_the_language_that_is_asked_for_in_words(open_scene: Open) -> None:
    page, ivan = open_scene().alone("ivan")
    ivan.says("/lang ru")
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    ivan.voice = Voice("ru")
    ivan.reads("language.changed")
    expect(ivan.text).to_have_attribute("placeholder", ivan.voice("page.say.placeholder"))
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_hours_are_told_the_same_everywhere(open_scene: Open) -> None:
    scene = open_scene(viewport={"width": 1360, "height": 860}, locale="en-US")
    ivan, anna = scene.side_by_side()
    reports(ivan)
    expect(anna.card).to_be_visible()
    for times in (ivan.log.locator("time"), anna.at.locator("time")):
        assert all(re.fullmatch(r"\d\d:\d\d", told) for told in times.all_inner_texts())
    expect(ivan.log).not_to_contain_text(ivan.voice("page.mark.edited"))


# ---- where the eyes are led


def test_the_newest_message_stays_in_sight_unless_somebody_reads_further_up(open_scene: Open) -> None:
    page, ivan = open_scene(viewport={"width": 700, "height": 500}).alone("ivan")
    jump = ivan.at.locator(".jump")
    ivan.says("VPN drops every ten minutes")
    for question, answer in (("Where are", "Home"), ("Who is", "Everybody"), ("Did anything", "No")):
        expect(ivan.newest).to_contain_text(question)
        ivan.says(answer)
    expect(ivan.newest).to_contain_text("How badly")
    expect(jump).to_be_hidden()
    page.locator(".scroller").hover()
    page.mouse.wheel(0, -130)
    expect(jump).to_be_visible()
    ivan.log.get_by_role("button", name="I cannot work", exact=True).click()
    expect(ivan.newest).to_contain_text("This is what I send")
    expect(ivan.newest.get_by_role("button").last).to_be_in_viewport()
    expect(jump).to_be_hidden()
    page.locator(".scroller").hover()
    page.mouse.wheel(0, -5000)
    expect(jump).to_be_visible()
    first = ivan.message("VPN drops every ten minutes").first
    expect(first).to_be_in_viewport()
    elsewhere = page.context.new_page()
    elsewhere.goto(page.url)
    Person(elsewhere, ivan.voice).presses("button.send")
    page.bring_to_front()
    expect(jump).to_have_text(re.compile("New below"))
    expect(first).to_be_in_viewport()
    jump.click()
    expect(ivan.newest).to_be_in_viewport()
    expect(jump).to_be_hidden()


def test_an_answer_to_a_ping_shows_where_the_agent_is_and_leaves_nothing_unread(open_scene: Open) -> None:
    quick = '[[escalations]]\nname="urgent"\nsteps=[{after="1s", of="unclaimed", whom="agents"}]\n'
    scene = open_scene(config=quick)
    ivan, anna = scene.side_by_side()
    reports(ivan, urgency="critical")
    expect(anna.pings).to_have_count(1)
    anna.pings.get_by_role("button", name="Take it", exact=True).click()
    anna.finds_on_card("card.owner", name="Anna Smirnova")
    expect(anna.pings).to_have_count(0)
    expect(anna.at.get_by_test_id("desk-tab").locator(".badge")).to_be_hidden()
