"""Commands: what each answers, who may use which, and what an unknown or incomplete one is told."""

from pathlib import Path

import pytest

from bot.flows.commands import COMMANDS
from core.database.transaction import Transaction
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority
from core.tickets.model import Status
from tests.flows.conftest import Stage, texts
from tests.town import town

ELSEWHERE = """
[[queues]]
name = "network"
[[queues]]
name = "support"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
queues = ["support"]
"""
"""Anna serves another queue than the one where Ivan's VPN goes."""
NETWORK = {"en": "Network", "ru": "Сеть"}
WORDS = {"pass": "@anna", "level": "L2", "hold": "2h", "snooze": "2h"}
STAFF = [command for command in COMMANDS if command.staff]


async def answer(stage: Stage, words: str, who: str = "ivan") -> str:
    """The one message that comes back."""
    person = stage.town[who]
    await person.hears()
    await person.say(words)
    [heard] = await person.hears()
    return heard.text


async def test_help_lists_what_the_person_can_use_and_nothing_else(stage: Stage) -> None:
    for who, staff in (("ivan", False), ("anna", True)):
        listed = await answer(stage, "/help", who)
        for command in COMMANDS:
            line = stage.w("help.line", command=command.example, what=stage.w(f"command.{command.name}"))
            assert (line in listed) is (staff or not command.staff), command.name


async def test_an_unknown_command_names_a_near_one(stage: Stage) -> None:
    assert await answer(stage, "/statsu 1") == stage.w("command.unknown", command="/statsu", near="/status")
    assert await answer(stage, "/xyzzy") == stage.w("command.unknown", command="/xyzzy", near="/help")


async def test_an_unknown_command_never_names_one_the_person_may_not_use(stage: Stage) -> None:
    assert await answer(stage, "/resolv 1") == stage.w("command.unknown", command="/resolv", near="/remove")
    assert "/resolve" in await answer(stage, "/resolv 1", "anna")


async def test_a_command_without_its_number_is_shown_an_example(english: Stage) -> None:
    for command in COMMANDS:
        if command.ticket:
            example = english.w("command.needs_ticket", example=command.example)
            alone = () if command.bare else (f"/{command.name}",)
            for words in (*alone, f"/{command.name} the printer"):
                assert await answer(english, words, "anna") == example


async def test_a_command_without_its_words_is_shown_an_example(english: Stage) -> None:
    for command in COMMANDS:
        if command.words and command.bare is None:
            said = await answer(english, f"/{command.name}{' 1' if command.ticket else ''}", "anna")
            assert said == english.w("command.incomplete", example=command.example)


async def test_incomplete_commands_are_told_so_in_the_persons_language(stage: Stage) -> None:
    assert await answer(stage, "/reopen") == stage.w("command.needs_ticket", example="/reopen 42")
    assert await answer(stage, "/lang fr") == stage.w("language.valid", languages="en, ru")


async def test_a_requester_can_use_no_command_of_an_agent_not_even_on_their_own_ticket(stage: Stage) -> None:
    await stage.report(stage.ivan)
    before = await stage.ticket(1)
    for command in STAFF:
        said = await answer(stage, f"/{command.name} 1 high @boris 2h")
        assert said == stage.w("right.staff_command", command=f"/{command.name}")
        assert await answer(stage, f"/{command.name.upper()}") == said
    assert await answer(stage, "/claim 1") == stage.w("right.staff_command", command="/take")
    assert await stage.ticket(1) == before
    assert await stage.kinds(1) == ["opened"]


async def test_my_lists_the_persons_own_tickets_with_whose_turn_it_is(stage: Stage) -> None:
    assert await answer(stage, "/my") == stage.w("list.none_mine")
    await stage.report(stage.ivan)
    await stage.ivan.say("/new")
    await stage.report(stage.ivan, stage.printer)
    await stage.report(stage.petr, "Something of Petr's, VPN")
    await stage.anna.say("/wait 1 Which version?")
    listed = await answer(stage, "/my")
    assert stage.w("list.my", 2) in listed
    assert f"#1 · {stage.w('turn.waiting')} · {stage.vpn}" in listed
    assert f"#2 · {stage.w('turn.new')} · {stage.printer}" in listed
    assert "Petr" not in listed


async def test_status_tells_where_a_ticket_stands(stage: Stage) -> None:
    await stage.report(stage.ivan)
    said = await answer(stage, "/status 1")
    assert f"#1 {stage.vpn}" in said
    assert stage.w("turn.new") in said
    assert stage.w("status.reply_by", at="09:05") in said
    await stage.anna.say("/take 1")
    assert stage.w("status.owner", name="Anna Smirnova") in await answer(stage, "/status #1")
    for settle in ("/resolve 1", None):
        await (stage.anna.say(settle) if settle else stage.ivan.press(stage.w("button.fixed")))
        said = await answer(stage, "/status 1")
        assert stage.w("status.agent", name="Anna Smirnova") in said
        assert stage.w("status.owner", name="Anna Smirnova") not in said


async def test_somebody_elses_ticket_and_one_that_is_not_there_are_answered_alike(stage: Stage) -> None:
    await stage.report(stage.ivan)
    for words in ("/status {}", "/reopen {}"):
        hidden = await answer(stage, words.format(1), "petr")
        assert hidden == stage.w("ticket.unknown", ticket=1)
        assert await answer(stage, words.format(77), "petr") == hidden.replace("#1", "#77")


async def test_an_agent_of_no_queue_of_it_is_answered_as_if_it_were_not_there(tmp_path: Path) -> None:
    async with town(tmp_path, ELSEWHERE) as opened:
        stage = Stage(opened, "en")
        await stage.report(stage.ivan)
        for command in STAFF:
            if command.ticket:
                words = f"/{command.name} {{}} {WORDS.get(command.name, 'high')}"
                hidden = await answer(stage, words.format(1), "anna")
                assert hidden == stage.w("ticket.unknown", ticket=1), command.name
                assert await answer(stage, words.format(99), "anna") == hidden.replace("#1", "#99")
        for words in ("/queue", "/find vpn"):
            assert "#1" not in await answer(stage, words, "anna")
        assert await stage.kinds(1) == ["opened"]


async def test_lang_changes_the_language_of_everything_from_then_on(stage: Stage) -> None:
    other = {"en": "ru", "ru": "en"}[stage.language]
    await stage.report(stage.ivan)
    assert await answer(stage, f"/lang {other}") == Stage(stage.town, other).w("language.changed")
    assert await answer(stage, "/my") == "\n".join(
        (
            Stage(stage.town, other).w("list.my", 1),
            f"#1 · {Stage(stage.town, other).w('turn.new')} · {stage.vpn}",
        )
    )
    await stage.anna.say("/take 1")
    told = Stage(stage.town, other).w("told.claimed", name="Anna Smirnova", ticket=1, title=stage.vpn)
    assert (await stage.ivan.last()).text == told
    assert stage.w("status.open") in await stage.anna.card(1)


async def test_new_asks_for_a_description_or_takes_it_along(stage: Stage) -> None:
    assert await answer(stage, "/new") == stage.w("intake.ask_describe")
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await answer(
        stage, f"/new {stage.printer}"
    )


@pytest.mark.parametrize(
    "words", ["/etc/fstab: VPN is gone", "/tmp of VPN is full", "/var\nVPN is full", "/xyzzy VPN"]
)
async def test_a_path_or_a_slash_in_words_is_no_command(stage: Stage, words: str) -> None:
    assert stage.w("intake.understood", type=NETWORK[stage.language]) in await answer(stage, words)
    await stage.answer_all(stage.ivan)
    await stage.ivan.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", words)]
    await stage.ivan.say(f"{words} again")
    assert await stage.words_of(1) == [("request", words), ("request", f"{words} again")]


async def test_a_mistyped_command_is_not_taken_for_words(stage: Stage) -> None:
    for words, near in (
        ("/statsu 1", "/status"),
        ("/reopne 1 it is back", "/reopen"),
        ("/lagn ru", "/lang"),
        ("/hlep me", "/help"),
    ):
        typed = words.split()[0]
        assert await answer(stage, words) == stage.w("command.unknown", command=typed, near=near)
    for words in ("/xyzzy", "/tmp", "/42"):
        assert await answer(stage, words) == stage.w("command.unknown", command=words, near="/help")


async def test_unknown_commands_of_staff_and_among_others_are_never_words(stage: Stage) -> None:
    await stage.report(stage.ivan)
    unknown = stage.w("command.unknown", command="/tmp", near="/help")
    assert await answer(stage, "/tmp is full", "anna") == unknown
    await stage.anna.say_below(1, "/tmp is full")
    assert (await stage.anna.last()).text == unknown
    assert await stage.words_of(1) == [("request", stage.vpn)]


@pytest.mark.parametrize(
    "told",
    [
        "ticket-" + "9" * 70,
        "ticket-99999999999999999999",
        "ticket-",
        "ticket--1",
        "ticket-²",
        "type-nothing",
        "x",
    ],
)
async def test_a_link_that_leads_nowhere_says_hello(stage: Stage, told: str) -> None:
    await stage.report(stage.ivan)
    assert stage.w("start.hello") in await answer(stage, f"/start {told}")


async def test_a_link_to_a_ticket_shows_it_to_whom_it_concerns(stage: Stage) -> None:
    await stage.report(stage.ivan)
    assert stage.vpn in await answer(stage, "/start ticket-1")
    assert await answer(stage, "/start ticket-1", "petr") == stage.w("ticket.unknown", ticket=1)


async def test_within_a_ticket_s_thread_the_number_may_be_left_out(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say_below(1, "/take")
    await stage.anna.say_below(1, "/note seen it before")
    await stage.anna.say_below(1, "/resolve reinstalled")
    assert (await stage.ticket(1)).status is Status.RESOLVED
    assert stage.w("told.is_it_fixed") in await stage.ivan.last()


async def test_an_answer_to_a_command_in_a_shared_room_is_for_its_author_alone(stage: Stage) -> None:
    await stage.report(stage.ivan)
    before = len(await stage.boris.sees())
    await stage.anna.say("/mine", room="network")
    assert (await stage.anna.last()).text == stage.w("list.none_owned")
    assert (await stage.anna.last()).only
    assert stage.w("list.none_owned") not in texts((await stage.boris.sees())[before:])


async def test_the_queue_lists_what_waits_the_most_urgent_first(stage: Stage) -> None:
    assert await answer(stage, "/queue", "anna") == stage.w("list.none_queue")
    await stage.report(stage.ivan)
    await stage.report(stage.petr, "VPN, quickly!", urgency="critical")
    await stage.anna.hears()
    await stage.anna.say("/queue")
    [listed] = await stage.anna.hears()
    assert stage.w("list.queue", 2) in listed
    assert listed.text.index("#2") < listed.text.index("#1")
    await stage.anna.press(stage.w("button.take_number", ticket=2))
    assert (await stage.ticket(2)).owner is not None
    assert "#2" in await answer(stage, "/mine", "anna")


async def test_find_looks_into_words_of_both_sides(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.report(stage.petr, stage.printer)
    await stage.anna.say("/reply 1 переустановите драйвер TAP")
    for words in ("TAP driver", "драйвер tap", stage.vpn.split()[0]):
        found = await answer(stage, f"/find {words}", "anna")
        assert ("#1" in found) is (words != "TAP driver")
    assert await answer(stage, "/find нетакогослова", "anna") == stage.w("list.none_found")
    assert "#2" in await answer(stage, "/find petr", "anna")


async def test_find_by_number_goes_to_the_ticket(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.report(stage.petr, stage.printer)
    assert await answer(stage, "/find #2", "anna") == "\n".join(
        (
            stage.w("list.found", 1),
            f"🔵 #2 · {stage.w('status.new')}, {stage.w('name.nobody')} · {stage.printer}",
        )
    )
    assert (await stage.anna.last()).ticket == 2
    assert stage.w("button.take_number", ticket=2) in (await stage.anna.last()).buttons
    for number in ("77", "999999999"):
        unknown = stage.w("ticket.unknown", ticket=number)
        assert await answer(stage, f"/find #{number}", "anna") == unknown


@pytest.mark.parametrize("words", ["???", "!", "…", "#", "%_"])
async def test_a_search_without_a_word_says_what_can_be_looked_for(stage: Stage, words: str) -> None:
    await stage.report(stage.ivan)
    assert await answer(stage, f"/find {words}", "anna") == stage.w("list.find_valid")


async def test_lists_say_how_many_there_are_beyond_what_they_show(english: Stage) -> None:
    async def many(tx: Transaction) -> None:
        ivan = await people.by_identity(tx, english.ivan.identity)
        anna = await people.by_identity(tx, english.anna.identity)
        for _ in range(23):
            ticket = await tickets.open_ticket(
                tx,
                Actor(ivan, "web"),
                type_name="network",
                text="VPN",
                priority=Priority.LOW,
                home=f"web:{english.ivan.direct}",
            )
            await tickets.take(tx, Actor(anna, "web"), ticket.id)

    await english.ivan.say("/my")
    await english.town.database.write(many)
    await english.town.settle()
    for who, command, title in (
        ("anna", "/queue", "20 of 23 open tickets"),
        ("anna", "/mine", "20 of the 23 tickets you are on"),
        ("anna", "/find vpn", "20 of 23 tickets found"),
        ("ivan", "/my", "20 of your 23 tickets"),
    ):
        assert (await answer(english, command, who)).splitlines()[0] == title
    for number in range(1, 5):
        await english.anna.say(f"/resolve {number}")
    assert (await answer(english, "/mine", "anna")).splitlines()[0] == "You are on 19 tickets"


async def test_a_long_timeline_is_told_page_by_page(english: Stage) -> None:
    await english.report(english.ivan)
    for number in range(100):
        await english.anna.say(f"/level 1 L{2 - number % 2} note {number}")
    await english.anna.hears()
    await english.anna.say("/timeline 1")
    pages = [await english.anna.last()]
    while english.w("button.earlier") in pages[-1].buttons:
        await english.anna.press(english.w("button.earlier"))
        pages.append(await english.anna.last())
    told = [line for page in reversed(pages) for line in page.text.splitlines()[1:]]
    assert [len(page.text.splitlines()) - 1 for page in pages] == [40, 40, 21]
    assert len(told) == len(await english.kinds(1)) == 101
    assert english.w("event.opened", actor="Ivan Petrov") in told[0]
    assert all(f": note {number} ·" in line for number, line in enumerate(told[1:]))
    for code in ("t.earlier.1.0", "t.earlier.1.-5", "t.earlier.1.102", "t.earlier.1.x"):
        await english.anna.press_code(pages[0], code)
        assert (await english.anna.last()).text == english.w("press.stale"), code
    await english.ivan.press_code(await english.ivan.last(), "t.earlier.1.40")
    assert (await english.ivan.last()).text == english.w("right.work", ticket=1)


async def test_files_that_come_with_a_command_are_not_lost(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/reply 1 do as in the picture", files=[("how.png", b"1")])
    assert (await stage.ivan.last()).text == "do as in the picture\n[how.png]"
    await stage.anna.say_below(1, "/note for us", files=[("secret.png", b"1")])
    assert "for us\n[secret.png]" in "".join(texts(await stage.anna.thread(1)))
    await stage.ivan.say(f"/new {stage.printer}", files=[("photo.png", b"1")])
    await stage.answer_all(stage.ivan)
    assert stage.w("intake.files", 1) in await stage.ivan.last()


async def test_a_request_is_not_begun_where_others_read_along(stage: Stage) -> None:
    await stage.anna.say("/new", room="network")
    assert (await stage.anna.last()).text == stage.w("command.private", command="/new")
    assert (await stage.anna.last()).only
