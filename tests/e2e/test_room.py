"""Nothing on the page lies over anything else, is cut off, or leaves out what one looks for."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person, Voice
from tests.e2e.scene import Scene, reports

Open = Callable[..., Scene]
STILL = {"reduced_motion": "reduce"}
PHONE = STILL | {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LAPTOP = STILL | {"viewport": {"width": 1280, "height": 800}}
SOON = '[[escalations]]\nname = "urgent"\nsteps = [{ after = "1s", of = "unclaimed", whom = "agents" }]\n'
LATE = '[[escalations]]\nname = "late"\nsteps = [{ after = "4w", of = "unclaimed", whom = "agents" }]\n'


def alone(scene: Scene, seat: str) -> Person:
    """Somebody in a tab of their own, who reads the scene's language."""
    page, person = scene.alone(seat)
    person.touch = bool(page.evaluate("matchMedia('(pointer: coarse)').matches"))
    if scene.voice.language != "en":
        page.get_by_role("button", name="Русский").click()
        expect(page.locator("html")).to_have_attribute("lang", scene.voice.language)
        person.voice = Voice(scene.voice.language)
    return person


APART = """([one, other]) => {
  const [first, second] = [one, other].map((which) => document.querySelector(which)?.getBoundingClientRect());
  if (!first?.width || !second?.width) return false;
  return first.left >= second.right || second.left >= first.right
    || first.top >= second.bottom || second.top >= first.bottom;
}"""
"""Whether both are on the page and neither lies over the other."""

IN_ONE_LINE = """([those, more, width]) => {
  const buttons = [...document.querySelectorAll(those)].filter((button) => button.getClientRects().length);
  const boxes = buttons.map((button) => button.getBoundingClientRect());
  return buttons.length > more
    && boxes.every((box) => box.left >= 0 && box.right <= width)
    && buttons.every((button) => button.scrollWidth <= button.clientWidth + 1)
    && new Set(boxes.map((box) => Math.round(box.top))).size === 1;
}"""
"""Whether there are more buttons than so many, all in one line of a window so wide, with all their words."""


@pytest.mark.parametrize("window", [LAPTOP, PHONE], ids=["laptop", "phone"])
def test_a_ping_covers_nothing(open_scene: Open, window: dict[str, object]) -> None:
    scene = open_scene("ru", config=SOON, **window)
    anna = alone(scene, "anna")
    reports(alone(scene, "ivan"), urgency="critical")
    expect(anna.pings).to_have_count(1)
    row, page = '.ticket-row[data-ticket="1"]', scene.context.pages[0]
    page.wait_for_function(APART, arg=["[data-ping]", row])
    anna.at.locator(row).click()
    for other in ("article.card .card-head", "#composer"):
        page.wait_for_function(APART, arg=["[data-ping]", other])
    page.wait_for_function("() => document.querySelector('.scroller').clientHeight > 120")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_button_of_a_card_can_be_seen_and_pressed_on_a_phone(open_scene: Open, language: str) -> None:
    scene = open_scene(language, config=LATE, **PHONE)
    reports(alone(scene, "ivan"))
    anna = alone(scene, "anna")
    page = scene.context.pages[-1]
    anna.at.locator('.ticket-row[data-ticket="1"]').click()
    for taken in (False, True):
        if taken:
            anna.acts("button.take")
            anna.finds_on_card("card.owner", name="Anna Smirnova")
        page.wait_for_function(IN_ONE_LINE, arg=["article.card .choices button", 2, 390])
    anna.picks("button.resolve")
    expect(anna.at.get_by_role("dialog")).to_be_visible()


def test_what_has_room_again_leaves_the_menu(open_scene: Open) -> None:
    scene = open_scene("ru", config=LATE, **PHONE)
    reports(alone(scene, "ivan"))
    anna = alone(scene, "anna")
    page = scene.context.pages[-1]
    anna.at.locator('.ticket-row[data-ticket="1"]').click()
    resolve = anna.card.get_by_role("button", name=anna.voice("button.resolve"), exact=True)
    expect(resolve).to_have_count(0)
    page.set_viewport_size({"width": 690, "height": 844})
    expect(resolve).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(resolve).to_have_count(0)


def test_a_row_of_the_list_says_where_it_is_and_who_asks(open_scene: Open) -> None:
    scene = open_scene("en", config=LATE, **LAPTOP)
    ivan, anna = alone(scene, "ivan"), alone(scene, "anna")
    reports(ivan)
    ivan.says("/new The printer on the third floor prints blank pages")
    ivan.log.get_by_role("button", name="Printer", exact=True).click()
    ivan.presses("button.skip")
    ivan.presses("urgency.normal")
    ivan.presses("button.send")
    for ticket, (room, kind) in {1: ("Network", "Network"), 2: ("Support", "Hardware")}.items():
        expect(anna.at.locator(f'.ticket-row[data-ticket="{ticket}"]')).to_be_visible()
        first, second = anna.at.locator(f'.ticket-row[data-ticket="{ticket}"] .ticket-quiet').all()
        expect(first).to_contain_text(kind)
        assert first.inner_text().count(room) == 1
        expect(second).to_contain_text("Ivan Petrov")


def test_a_reply_stands_once_for_every_agent(open_scene: Open) -> None:
    scene = open_scene("en", config=LATE, **LAPTOP)
    reports(alone(scene, "ivan"))
    anna, maria = alone(scene, "anna"), alone(scene, "maria")
    anna.acts("button.take")
    anna.text.fill("Please restart it.")
    anna.at.get_by_test_id("send-reply").click()
    for reader in (anna, maria):
        expect(reader.message("Please restart it.")).to_have_count(1)
        expect(reader.message("Please restart it.")).to_contain_text(reader.voice("said.delivered"))


def test_a_page_that_is_not_there_shows_the_way_back(open_scene: Open) -> None:
    scene = open_scene(**PHONE)
    scene.forgiven = ("404",)
    page = scene.context.new_page()
    page.goto(scene.desk.address + "/nowhere")
    expect(page.get_by_role("heading", level=1)).to_contain_text("nothing here")
    page.get_by_role("link", name="To the start").click()
    expect(page).to_have_url(scene.desk.address + "/")


def test_whoever_has_no_link_may_still_ask_for_help(open_scene: Open) -> None:
    scene = open_scene(**PHONE)
    page = scene.context.new_page()
    page.goto(scene.desk.address + "/sign-in")
    page.get_by_role("link", name="Ask for help without signing in").click()
    expect(page.get_by_test_id("welcome")).to_be_visible()
