"""The five steps of a newcomer, by hand, in both languages, before the real process."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.person import HOURS, Person, Voice
from tests.e2e.scene import Scene, reports

Open = Callable[..., Scene]
both_languages = pytest.mark.parametrize("language", ["en", "ru"])

QUICK = """
[[escalations]]
name = "urgent"
priorities = ["critical", "high"]
steps = [
  { after = "2s", of = "unclaimed", whom = "agents" },
  { after = "4s", of = "unclaimed", whom = "agents" },
  { after = "60s", of = "unclaimed", whom = "lead" },
]
"""
"""The demo's escalation, some times as fast."""


# ---- steps 1 to 3


@both_languages
def test_a_report_becomes_a_ticket_that_is_taken_answered_resolved_and_rated(
    open_scene: Open, language: str, tmp_path: Path
) -> None:
    scene = open_scene(language)
    ivan, anna = scene.side_by_side()
    asks_one_by_one(ivan)
    takes_a_file(ivan, tmp_path / "trace.log")
    shows_a_summary_and_promises_a_time(ivan)
    comes_by_itself_and_is_taken(ivan, anna)
    reaches_the_requester(ivan, anna)
    changes_priority_and_waits(ivan, anna)
    is_solved_only_when_the_requester_says_so(ivan, anna)
    is_rated(ivan, anna)
    for secret in ("TAP-1", "TAP-2"):
        expect(anna.log).to_contain_text(secret)
        assert secret not in everything(scene), "the requester's page holds a note"


def everything(scene: Scene) -> str:
    """The requester's whole page, hidden parts and all."""
    frame = scene.page.frames[1]
    return frame.content() + str(frame.evaluate("document.body.innerText"))


def asks_one_by_one(ivan: Person) -> None:
    ivan.says(ivan.voice.title("VPN drops every ten minutes"))
    ivan.is_asked("Where are you working from?")
    expect(ivan.newest).to_contain_text(ivan.voice("intake.understood", type=ivan.voice.title("Network")))
    expect(ivan.button("button.other_type")).to_be_visible()
    ivan.chooses("Home")
    ivan.is_asked("Who is affected?")
    ivan.presses("button.back")
    ivan.is_asked("Where are you working from?")
    ivan.chooses("The office")
    ivan.is_asked("Who is affected?")
    ivan.chooses("Only me")
    ivan.is_asked("Did anything change just before?")


def takes_a_file(ivan: Person, file: Path) -> None:
    file.write_text("09:14 tunnel down\n", encoding="utf-8")
    ivan.at.locator("#composer input[type=file]").set_input_files(file)
    expect(ivan.at.locator(".chip.here")).to_contain_text("trace.log")
    ivan.text.press("Enter")
    ivan.reads("intake.files_taken", count=1)
    expect(ivan.log.get_by_role("link", name="trace.log")).to_be_visible()


def shows_a_summary_and_promises_a_time(ivan: Person) -> None:
    ivan.presses("button.skip")
    ivan.presses("urgency.normal")
    summary = ivan.newest
    expect(summary).to_contain_text(ivan.voice("intake.summary"))
    for told in ("VPN drops every ten minutes", "Network", "The office", "Only me"):
        expect(summary).to_contain_text(ivan.voice.title(told))
    expect(summary).to_contain_text(ivan.voice("intake.files", count=1))
    expect(ivan.button("button.send")).to_be_in_viewport()
    expect(ivan.at.locator(".jump")).to_be_hidden()
    ivan.presses("button.send")
    topic, queue = ivan.voice.title("VPN drops every ten minutes"), ivan.voice.title("Network")
    ivan.reads("told.opened", ticket=1, title=topic, queue=queue, at=HOURS)


def comes_by_itself_and_is_taken(ivan: Person, anna: Person) -> None:
    title = ivan.voice.title("VPN drops every ten minutes")
    expect(anna.at.locator('.ticket-row[data-ticket="1"]')).to_contain_text(title)
    anna.finds_on_card("card.owner", name=anna.voice("name.nobody"))
    anna.acts("button.take")
    ivan.reads("told.claimed", name="Anna Smirnova", ticket=1, title=title)
    anna.finds_on_card("card.owner", name="Anna Smirnova")
    anna.picks("button.release")
    anna.fills("form.release_submit")
    anna.finds_on_card("card.owner", name=anna.voice("name.nobody"))
    anna.at.get_by_test_id("desk-tab").click()
    anna.says("/take 1")
    anna.reads("work.taken", ticket=1, title=title)
    anna.at.locator('.ticket-row[data-ticket="1"]').click()
    anna.finds_on_card("card.owner", name="Anna Smirnova")


def reaches_the_requester(ivan: Person, anna: Person) -> None:
    anna.acts("button.reply")
    anna.fills("form.reply_submit", "Please restart the client.")
    expect(ivan.message("Please restart the client.")).to_be_visible()
    expect(anna.message("Please restart the client.")).to_contain_text(anna.voice("said.delivered"))
    anna.says("It is the driver: TAP-1.")
    anna.acts("button.note")
    anna.fills("form.note_submit", "Or the one before: TAP-2.")
    expect(anna.message("TAP-2")).to_have_class(re.compile("look-note"))
    anna.text.fill("Is it better now?")
    anna.at.get_by_test_id("send-reply").click()
    expect(ivan.message("Is it better now?")).to_have_count(1)
    ivan.says("A little.")
    expect(anna.message("A little.")).to_be_visible()


def changes_priority_and_waits(ivan: Person, anna: Person) -> None:
    anna.picks("button.priority")
    anna.fills("form.priority_submit", "The office closes at six.", choice=anna.voice("priority.low"))
    anna.finds_on_card("priority.low")
    anna.acts("button.wait")
    anna.fills("form.wait_submit", "Which version is it?")
    expect(ivan.message("Which version is it?")).to_be_visible()
    anna.finds_on_card("card.waiting")
    ivan.says("5.1")
    anna.finds_on_card("status.open")
    expect(anna.log).to_contain_text("The office closes at six.")
    expect(ivan.message("The office closes at six.")).to_have_count(0)


def is_solved_only_when_the_requester_says_so(ivan: Person, anna: Person) -> None:
    anna.acts("button.resolve")
    anna.fills("form.resolve_submit", "Reinstalled the client.")
    expect(ivan.message("Reinstalled the client.")).to_be_visible()
    ivan.presses("button.not_fixed")
    anna.finds_on_card("status.open")
    anna.finds_on_card("card.owner", name="Anna Smirnova")
    anna.acts("button.resolve")
    anna.fills("form.resolve_submit", "Replaced the driver.")
    anna.finds_on_card("status.resolved")
    anna.acts("button.reopen")
    anna.finds_on_card("status.open")
    anna.acts("button.resolve")
    anna.fills("form.resolve_submit", "Replaced it for good.")
    expect(ivan.message("Replaced it for good.")).to_be_visible()
    ivan.presses("button.fixed")
    anna.finds_on_card("status.closed")


def is_rated(ivan: Person, anna: Person) -> None:
    ivan.reads("rating.ask")
    ivan.log.get_by_role("button", name="★★★★", exact=True).click()
    ivan.reads("rating.thanks", stars=4)
    ivan.reads("rating.ask_comment")
    ivan.says("Quick and kind.")
    ivan.reads("rating.comment_thanks")
    anna.finds_on_card("card.rating", stars=4)
    expect(anna.log).to_contain_text("Quick and kind.")


# ---- step 4


@pytest.mark.parametrize(("language", "config"), [("en", ""), ("ru", QUICK)])
def test_an_untouched_critical_ticket_pings_one_after_another_until_somebody_is_on_it(
    open_scene: Open, language: str, config: str
) -> None:
    scene = open_scene(language, config=config)
    ivan, anna = scene.side_by_side()
    with scene.page.expect_popup() as popup:
        scene.page.get_by_role("link", name="Boris Orlov").click()
    boris = Person(popup.value, Voice("en"))
    expect(boris.at.get_by_test_id("desk-tab")).to_be_visible()
    scene.page.bring_to_front()
    reports(ivan, urgency="critical")
    pinged(anna)
    expect(boris.pings).to_have_count(0)
    expect(boris.pings).to_have_count(1, timeout=40_000)
    popup.value.bring_to_front()
    pinged(boris)
    boris.pings.get_by_role("button", name=boris.voice("button.onit"), exact=True).click()
    for each in (anna, boris):
        expect(each.pings).to_have_count(0)
        each.finds_on_card("card.promised", name="Boris Orlov", at=HOURS)
        each.finds_on_card("card.ping", name="Anna Smirnova", at=HOURS)
        each.reads("event.pinged", names="Anna Smirnova")
        each.reads("event.pinged", names="Boris Orlov")
        each.reads("event.promised", actor="Boris Orlov", until=HOURS)
    expect(boris.at.get_by_test_id("desk-tab").locator(".badge")).to_be_hidden()


def pinged(person: Person) -> None:
    """A ping stands before this person, with everything they can do about it."""
    ping = person.pings
    expect(ping).to_have_count(1, timeout=25_000)
    for key in ("button.take", "button.onit", "button.snooze_now", "button.pass"):
        expect(ping.get_by_role("button", name=person.voice(key), exact=True)).to_be_visible()


# ---- step 5


@both_languages
def test_after_a_kill_everybody_goes_on_where_they_were(open_scene: Open, language: str) -> None:
    scene = open_scene(language)
    scene.forgiven = ("net::ERR_",)  # what a browser says of a server that is not there
    ivan, anna = scene.side_by_side()
    ivan.says(ivan.voice.title("VPN drops every ten minutes"))
    ivan.chooses("Home")
    ivan.chooses("Only me")
    ivan.is_asked("Did anything change just before?")
    scene.desk.kill()
    expect(ivan.at.locator(".banner.lost")).to_be_visible()
    ivan.says("A new router since Monday")
    expect(ivan.at.locator("[data-pending]")).to_contain_text(ivan.voice("page.pending.waiting"))
    scene.desk.start()
    expect(ivan.at.locator(".banner")).to_be_hidden()
    expect(ivan.at.locator("[data-pending]")).to_have_count(0)
    ivan.presses("urgency.normal")
    expect(ivan.newest).to_contain_text(ivan.voice("intake.summary"))
    expect(ivan.newest).to_contain_text("A new router since Monday")
    ivan.presses("button.send")
    topic, queue = ivan.voice.title("VPN drops every ten minutes"), ivan.voice.title("Network")
    ivan.reads("told.opened", ticket=1, title=topic, queue=queue, at=HOURS)
    expect(ivan.log.locator(".message.right").filter(has_text="A new router")).to_have_count(1)
    expect(anna.card).to_contain_text("A new router since Monday")
    expect(anna.at.locator(".ticket-row")).to_have_count(1)
