"""What people stumbled over once: presses, forms, threads and pages in the ways they are really used."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.kernel.ids import Identity
from core.people import actions as people_actions
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority
from core.tickets.model import Status
from tests.emulators.slack import File
from tests.slack import rig as rigs
from tests.slack.rig import Rig

VPN = "VPN drops every ten minutes"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def resolve(desk: Rig, number: int = 1) -> None:
    await desk.press(desk.anna, desk.word("button.resolve"), desk.card(number))
    await desk.fill(desk.anna, {desk.word("form.solution"): "Restarted it"})


async def test_an_emoji_acts_under_the_card_alone(desk: Rig) -> None:
    await desk.report()
    note = await desk.say(desk.boris, "I told him to wait", thread=desk.card(1))
    await desk.react(desk.anna, note, "white_check_mark")
    await desk.react(desk.anna, note, "eyes")
    ticket = await desk.ticket(1)
    assert (ticket.status, ticket.owner) == (Status.NEW, None)
    await desk.react(desk.anna, desk.card(1), "eyes")
    assert (await desk.ticket(1)).owner is not None


async def test_words_of_a_form_that_is_gone_stand_below_the_late_refusal(desk: Rig) -> None:
    await desk.report()
    typed = "A long explanation that took five minutes to type"
    await desk.press(desk.anna, desk.word("button.hold"), desk.card(1))
    await desk.anna.submit({desk.word("form.until"): "whenever", desk.word("form.note"): typed})
    assert desk.anna.modals == []
    await desk.settle()
    told = desk.triage.private_to(desk.anna)[-1].shown
    assert desk.word("when.instant") in told
    assert typed in told


async def test_words_of_a_form_that_waits_are_not_repeated_in_its_refusal(desk: Rig) -> None:
    await desk.report()
    typed = "A long explanation that took five minutes to type"
    await desk.press(desk.anna, desk.word("button.hold"), desk.card(1))
    wrong = await desk.fill(desk.anna, {desk.word("form.until"): "whenever", desk.word("form.note"): typed})
    assert list(wrong.values()) == [desk.word("when.instant")]


async def test_the_comment_to_a_rating_of_the_home_tab_is_asked_in_the_tickets_thread(desk: Rig) -> None:
    root = await desk.report()
    await desk.ivan.open_home()
    await resolve(desk)
    await desk.press(desk.ivan, desk.word("home.fixed", ticket=1), desk.ivan.home)
    await desk.press(desk.ivan, "★★★★", desk.ivan.home)
    asked = desk.ivan.dm.saying(desk.word("rating.ask_comment"))
    assert asked.thread_ts == root.ts
    await desk.say(desk.ivan, "You were quick", thread=root)
    assert "You were quick" in desk.told(1)
    assert "★" not in " ".join(desk.ivan.home.buttons)


async def test_the_home_tab_shows_what_others_share_with_me_as_it_stands_now(desk: Rig) -> None:
    await desk.report()
    petr = desk.slack.user("Petr Ivanov")
    await petr.open_home()
    await desk.settle()
    assert petr.home is not None
    assert VPN not in petr.home.shown
    await desk.command(desk.anna, f"/desk add 1 {petr.mention}", desk.triage)
    assert desk.word("list.shared") in petr.home.shown
    assert f"{VPN} · {desk.word('turn.new')}" in petr.home.shown
    await desk.press(desk.anna, desk.word("button.take"), desk.card(1))
    assert f"{VPN} · {desk.word('turn.open')}" in petr.home.shown
    await desk.command(desk.anna, f"/desk remove 1 {petr.mention}", desk.triage)
    assert VPN not in petr.home.shown


async def test_bare_thanks_and_answers_outside_any_thread_go_to_the_ticket_that_spoke_last(desk: Rig) -> None:
    await desk.report()
    await desk.report("VPN is slow at my neighbour's")
    await desk.later(timedelta(minutes=1))
    await desk.press(desk.anna, desk.word("button.reply"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.text"): "Try now"})
    thanks = await desk.say(desk.ivan, "Thanks!")
    assert "Thanks!" in desk.told(1)
    assert "#1" in thanks.replies[-1].shown
    await resolve(desk, 1)
    await desk.say(desk.ivan, "yes")
    assert (await desk.ticket(1)).status is Status.CLOSED
    assert (await desk.ticket(2)).status is Status.NEW


async def test_a_bare_no_outside_any_thread_reopens_the_ticket_that_was_asked_about(desk: Rig) -> None:
    await desk.report()
    await resolve(desk)
    await desk.say(desk.ivan, "no")
    assert (await desk.ticket(1)).status is Status.OPEN


async def test_where_words_may_belong_is_asked_in_words_before_cancel_and_told_in_the_end(desk: Rig) -> None:
    await desk.report()
    root = await desk.say(desk.ivan, "VPN is slow")
    [question] = root.replies
    assert desk.word("talk.or_into") in question.shown
    assert question.buttons[-3:] == [
        f"#1 {VPN}",
        desk.word("button.other_type"),
        desk.word("button.cancel"),
    ]
    await desk.press(desk.ivan, f"#1 {VPN}", question)
    assert f"→ #1 {VPN}" in question.shown
    assert desk.word("dialog.left") not in question.shown


async def test_what_was_typed_in_answer_goes_along_where_words_go_to_a_ticket_after_all(
    desk: Rig,
) -> None:
    await desk.report()
    root = await desk.say(desk.ivan, "My printer prints nothing")
    [question] = root.replies
    await desk.say(desk.ivan, "it stands in room 12", thread=root)
    pressed = await desk.ivan.press(question, f"#1 {VPN}")
    await desk.settle()
    await pressed.done()
    assert "My printer prints nothing" in desk.told(1)
    assert "it stands in room 12" in desk.told(1)


async def test_a_page_left_open_shows_what_became_of_the_queue(desk: Rig) -> None:
    await desk.anna.open_home()
    await desk.boris.open_home()
    await desk.report()
    take = desk.word("button.take_number", ticket=1)
    assert take in desk.boris.home.buttons
    await desk.press(desk.anna, desk.word("button.take"), desk.card(1))
    assert take not in desk.boris.home.buttons
    assert VPN in desk.anna.home.shown
    await desk.command(desk.anna, "/desk pass 1 @Boris", desk.triage)
    assert VPN not in desk.anna.home.shown
    assert VPN in desk.boris.home.shown
    await desk.command(desk.boris, "/desk release 1", desk.triage)
    assert take in desk.anna.home.buttons


async def test_whoever_is_passed_a_ticket_is_told_so(desk: Rig) -> None:
    await desk.report()
    await desk.command(desk.anna, "/desk pass 1 @Boris you know it", desk.triage)
    told = desk.boris.dm.last.shown
    assert "Anna Smirnova" in told
    assert f"#1 {VPN}" in told
    assert "you know it" in told


async def test_cancel_as_a_command_leaves_the_newest_dialog_of_the_conversation(desk: Rig) -> None:
    root = await desk.say(desk.ivan, VPN)
    await desk.command(desk.ivan, "/desk cancel")
    assert desk.word("dialog.left") in root.replies[0].shown
    assert desk.word("intake.cancelled") in desk.ivan.dm.private_to(desk.ivan)[-1].shown
    await desk.command(desk.ivan, "/desk cancel")
    assert desk.word("dialog.none") in desk.ivan.dm.private_to(desk.ivan)[-1].shown


async def test_a_colleagues_words_are_sent_to_the_requester_once(desk: Rig) -> None:
    await desk.report()
    note = await desk.say(desk.boris, "We will send a laptop", thread=desk.card(1))
    await desk.shortcut(desk.boris, "send_to_requester", note)
    await desk.shortcut(desk.anna, "send_to_requester", note)
    told = [each for each in desk.ivan.dm.texts if "We will send a laptop" in each]
    assert len(told) == 1
    assert desk.triage.private_to(desk.anna)[-1].shown == desk.word("reply.sent_already")
    copy = desk.triage.saying("We will send a laptop")
    await desk.press(desk.boris, desk.word("button.undo"), copy)
    await desk.shortcut(desk.anna, "send_to_requester", note)
    assert sum("We will send a laptop" in each for each in desk.ivan.dm.texts) == 1


async def test_a_type_that_was_guessed_can_be_changed_in_the_forms_second_step(desk: Rig) -> None:
    await desk.command(desk.ivan, "/desk new")
    assert await desk.fill(desk.ivan, {desk.word("form.report_text"): VPN}) == {}
    field = desk.word("intake.field_type")
    second = await desk.ivan.modal()
    labels = {block["label"]["text"]: block for block in second.blocks if block["type"] == "input"}
    other = labels[field]["element"]["options"][-1]["text"]["text"]
    kept = labels[field]["element"]["initial_option"]["text"]["text"]
    assert kept != other
    filled = {
        label: block["element"]["options"][0]["text"]["text"]
        for label, block in labels.items()
        if block["element"]["type"] == "static_select"
    }
    assert await desk.fill(desk.ivan, {**filled, field: other}) == {}
    while desk.ivan.modals:
        form = desk.ivan.modals[-1]
        rest = {
            block["label"]["text"]: block["element"]["options"][0]["text"]["text"]
            for block in form.blocks
            if block["type"] == "input"
            and block["element"]["type"] == "static_select"
            and block["label"]["text"] != field
        }
        assert await desk.fill(desk.ivan, rest) == {}
    assert other in desk.card(1).shown


async def test_two_forms_at_once_become_each_its_own_request(desk: Rig) -> None:
    drawn = []
    for text in ("my mouse is dead", "VPN is down"):
        await desk.command(desk.ivan, "/desk new")
        await desk.fill(desk.ivan, {desk.word("form.report_text"): text})
        drawn.append(desk.ivan.modals.pop())
        desk.ivan.modals.clear()
    for number, (form, text) in enumerate(zip(drawn, ("my mouse is dead", "VPN is down"), strict=True), 1):
        desk.ivan.modals.append(form)
        filled = {
            block["label"]["text"]: block["element"]["options"][0]["text"]["text"]
            for block in form.blocks
            if block["type"] == "input"
            and block["element"]["type"] == "static_select"
            and "initial_option" not in block["element"]
        }
        assert await desk.fill(desk.ivan, filled) == {}
        assert (await desk.ticket(number)).title == text


async def test_what_a_ticket_is_about_is_told_to_whoever_got_it_by_a_colleague(desk: Rig) -> None:
    message = await desk.say(desk.ivan, "the projector is dead", channel=desk.town)
    await desk.react(desk.anna, message, "ticket")
    assert "the projector is dead" in desk.ivan.dm.last.shown


async def test_a_mention_names_a_colleague_whatever_they_call_themselves(desk: Rig) -> None:
    await desk.report()
    await desk.command(desk.anna, f"/desk pass 1 <@{rigs.BORIS}|b.orlov> you know it", desk.triage)
    assert "Boris Orlov" in desk.card(1).shown
    assert "you know it" in desk.told(1)
    assert "b.orlov" not in desk.told(1)


async def test_the_card_counts_the_files_of_the_requester_alone(desk: Rig) -> None:
    root = await desk.report()
    await desk.say(desk.anna, "his log", thread=desk.card(1), files=[File("vpn.log", b"log")])
    await desk.say(desk.anna, "and the fix", thread=desk.card(1), files=[File("fix.reg", b"REGEDIT4")])
    assert "file" not in desk.card(1).shown
    await desk.say(desk.ivan, "what I see", thread=root, files=[File("screen.png", b"\x89PNG")])
    await desk.press(desk.anna, "Take it", desk.card(1))
    assert "1 file" in desk.card(1).shown
    assert "files" not in desk.card(1).shown


async def test_what_falls_due_first_is_shown_first_however_many_are_more_urgent(desk: Rig) -> None:
    async def opened(tx: Transaction, text: str, priority: Priority) -> None:
        who = Identity("slack", f"{rigs.TEAM}/{rigs.IVAN}")
        ivan = Actor(await people_actions.meet(tx, who, name="Ivan", language="en"), "slack")
        home = f"slack:{rigs.TEAM}/{rigs.IVAN}"
        await tickets.open_ticket(tx, ivan, type_name="other", text=text, priority=priority, home=home)

    async def many(tx: Transaction) -> None:
        for number in range(45):
            await opened(tx, f"t{number}", Priority.CRITICAL)

    await desk.database.write(lambda tx: opened(tx, "the old one", Priority.NORMAL))
    await desk.later(timedelta(hours=3, minutes=55))
    await desk.database.write(many)
    await desk.anna.open_home()
    await desk.settle()
    soon = desk.anna.home.shown.partition(desk.word("home.free"))[0]
    assert "#1 · the old one" in soon.splitlines()[1]
    assert desk.word("home.part", shown=10, total=46) in soon


async def test_of_many_tickets_the_page_shows_what_is_nobodys_and_says_what_is_left_out(desk: Rig) -> None:
    async def many(tx: Transaction) -> None:
        ivan = await people_actions.meet(
            tx, Identity("slack", f"{rigs.TEAM}/{rigs.IVAN}"), name="Ivan", language="en"
        )
        anna = await people.by_identity(tx, Identity("slack", f"{rigs.TEAM}/{rigs.ANNA}"))
        home = f"slack:{rigs.TEAM}/{rigs.IVAN}"
        for number in range(42):
            priority = Priority.NORMAL if number == 41 else Priority.HIGH
            opened = await tickets.open_ticket(
                tx, Actor(ivan, "slack"), type_name="other", text=f"t{number}", priority=priority, home=home
            )
            if number < 41:
                await tickets.take(tx, Actor(anna, "slack"), opened.id)

    await desk.database.write(many)
    for user in (desk.anna, desk.ivan):
        await user.open_home()
    await desk.settle()
    assert desk.word("button.take_number", ticket=42) in desk.anna.home.buttons
    assert desk.word("home.part", shown=10, total=41) in desk.anna.home.shown
    assert desk.word("home.part", shown=10, total=42) in desk.ivan.home.shown
