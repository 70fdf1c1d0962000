"""Commands: what each answers, who may use which, and what an unknown or incomplete one is told."""

from pathlib import Path

from bot.flows.commands import COMMANDS
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
    assert await answer(stage, "/resolv 1") == stage.w("command.unknown", command="/resolv", near="/help")
    assert "/resolve" in await answer(stage, "/resolv 1", "anna")


async def test_a_command_without_its_number_is_shown_an_example(english: Stage) -> None:
    for command in COMMANDS:
        if command.ticket:
            example = english.w("command.needs_ticket", example=command.example)
            for words in (f"/{command.name}", f"/{command.name} the printer"):
                assert await answer(english, words, "anna") == example


async def test_a_command_without_its_words_is_shown_an_example(english: Stage) -> None:
    for command in COMMANDS:
        if command.words:
            said = await answer(english, f"/{command.name}{' 1' if command.ticket else ''}", "anna")
            assert said == english.w("command.incomplete", example=command.example)


async def test_incomplete_commands_are_told_so_in_the_persons_language(stage: Stage) -> None:
    assert await answer(stage, "/status") == stage.w("command.needs_ticket", example="/status 42")
    assert await answer(stage, "/lang") == stage.w("command.incomplete", example="/lang ru")
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


async def test_a_path_or_a_slash_in_words_is_no_command(stage: Stage) -> None:
    assert stage.w("intake.ask_type") in await answer(stage, "/etc/fstab is gone")
    assert await stage.numbers() == []


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
