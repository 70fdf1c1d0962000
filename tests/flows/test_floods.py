"""A requester who writes faster than anybody reads: kept whole, shown as one line, told once."""

from datetime import timedelta

import pytest

from bot.flows.flood import PAUSE, SPAN
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.ids import TicketId
from core.tickets import store as tickets
from core.tickets.model import Status
from tests.flows.conftest import Stage, texts

MOST = 20
"""What a desk shows one by one that says nothing else."""


async def flood(stage: Stage, count: int, who: str = "ivan", start: int = 0) -> None:
    """So many messages at once."""
    for number in range(start, start + count):
        await stage.town[who].say(f"word {number}", settle=number % 10 == 9)
    await stage.town.settle()


async def shown(stage: Stage, words: str) -> list[str]:
    return [each.text for each in await stage.anna.thread(1) if words in each]


async def reported(stage: Stage) -> None:
    """Ivan has reported his VPN, and a minute went by."""
    await stage.report(stage.ivan)
    await stage.town.later(SPAN)
    await stage.ivan.hears()


async def test_a_flood_is_one_line_for_staff_and_one_notice_for_its_author(stage: Stage) -> None:
    await reported(stage)
    await flood(stage, MOST + 35)
    assert texts(await stage.ivan.hears()) == [stage.w("flood.told")]
    assert len(await shown(stage, "word")) == MOST
    assert (await stage.anna.thread(1))[-1].text == stage.w("flood.line", 35, name="Ivan Petrov")
    said = [text for kind, text in await stage.words_of(1) if text.startswith("word")]
    assert said == [f"word {number}" for number in range(MOST + 35)]


async def test_the_words_of_a_flood_are_read_in_order_page_by_page(stage: Stage) -> None:
    await reported(stage)
    await flood(stage, MOST + 50)
    await stage.anna.press(stage.w("button.read_flood"))
    first = await stage.anna.last()
    assert first.only
    assert [f"word {number}" in first for number in (MOST - 1, MOST, MOST + 39)] == [False, True, True]
    await stage.anna.press(stage.w("button.more_found"))
    second = await stage.anna.last()
    assert "word 60" in second
    assert "word 69" in second
    assert stage.w("button.more_found") not in second.buttons
    told = stage.w("flood.line", 50, name="Ivan Petrov")
    [line] = [each for each in await stage.anna.thread(1) if each.text == told]
    code = line.buttons[stage.w("button.read_flood")]
    await stage.ivan.press_code(await stage.ivan.last(), code)
    assert "word 60" not in await stage.ivan.last()
    for odd in (code.replace(".read.1.", ".read.9."), "o.read.1.x.0", "o", code.replace("read", "write")):
        await stage.anna.press_code(line, odd)
        assert "word" not in await stage.anna.last()


async def test_who_shares_or_watches_the_ticket_reads_a_flood_as_one_line_that_opens(stage: Stage) -> None:
    await stage.town["olga"].say("/my")
    await reported(stage)
    await stage.ivan.say("/add 1 @olga")
    await stage.boris.say("/watch 1")
    await stage.town.later(SPAN)
    await flood(stage, MOST + 5)
    late = stage.town["petr"]
    await late.say("/my")
    await stage.ivan.say("/add 1 @petr")
    for reader in (stage.town["olga"], stage.boris):
        heard = texts(await reader.hears())
        assert sum("word" in each for each in heard) == MOST, heard
        assert stage.w("flood.line", 5, name="Ivan Petrov") in heard
        await reader.press(stage.w("button.read_flood"))
        assert f"word {MOST + 4}" in await reader.last()
    [line] = [
        each for each in await stage.town["olga"].sees() if stage.w("button.read_flood") in each.buttons
    ]
    await late.press_code(await late.last(), line.buttons[stage.w("button.read_flood")])
    assert (await late.last()).text == stage.w("press.stale")


async def test_a_flood_is_over_after_a_pause_and_the_next_one_is_a_line_of_its_own(stage: Stage) -> None:
    await reported(stage)
    await flood(stage, MOST + 5)
    await stage.town.later(PAUSE)
    await stage.ivan.say("sorry, my cat")
    assert await shown(stage, "sorry, my cat")
    await flood(stage, MOST - 1, start=100)
    assert texts(await stage.ivan.hears()) == [stage.w("flood.told")]
    await flood(stage, 2, start=200)
    assert texts(await stage.ivan.hears()) == [stage.w("flood.told")]
    lines = [each.text for each in await stage.anna.thread(1) if stage.w("button.read_flood") in each.buttons]
    assert lines == [stage.w("flood.line", count, name="Ivan Petrov") for count in (5, 2)]


async def test_who_writes_much_but_not_at_once_is_shown_word_for_word(english: Stage) -> None:
    await reported(english)
    for number in range(2 * MOST):
        await english.ivan.say(f"word {number}")
        await english.town.later(timedelta(seconds=4))
    assert len(await shown(english, "word")) == 2 * MOST
    assert await english.ivan.hears() == []


async def test_a_flood_to_a_solved_ticket_opens_it_again(english: Stage) -> None:
    await reported(english)
    await flood(english, MOST)
    await english.anna.say("/resolve 1 done")
    await flood(english, 2, start=MOST)
    assert (await english.ticket(1)).status is Status.OPEN
    assert (await english.ticket(1)).unanswered_since is not None


async def test_an_edited_word_of_a_flood_is_not_shown_by_itself(english: Stage) -> None:
    await reported(english)
    await flood(english, MOST + 3)
    await english.ivan.edit("word 22", "word twenty-two")
    assert await shown(english, "twenty-two") == []
    await english.anna.press(english.w("button.read_flood"))
    assert "twenty-two" in await english.anna.last()


async def test_a_flood_that_begins_a_request_is_gathered_in_it_without_a_question_each_time(
    stage: Stage,
) -> None:
    await stage.ivan.say(stage.vpn)
    await stage.answer_all(stage.ivan)
    await stage.ivan.hears()
    await flood(stage, MOST + 40)
    heard = await stage.ivan.hears()
    assert len([each for each in heard if each.text == stage.w("flood.told")]) == 1
    assert len(heard) <= MOST + 2
    await stage.ivan.press(stage.w("button.send"))
    [(_, text)] = await stage.words_of(1)
    assert all(f"word {number}" in text for number in range(MOST + 40))


async def test_a_flood_of_an_agent_who_perhaps_reports_something_is_asked_about_once(english: Stage) -> None:
    await english.anna.say(english.vpn)
    await flood(english, MOST + 10, who="anna")
    asked = [each for each in await english.anna.hears() if not each.deleted]
    assert len(asked) <= MOST + 2
    await english.anna.press(english.w("button.yes"))
    await english.answer_all(english.anna)
    await english.anna.press(english.w("button.send"))
    [(_, text)] = await english.words_of(1)
    assert f"word {MOST + 9}" in text


@pytest.mark.parametrize("backlog", [200])
async def test_a_conversation_with_a_backlog_gives_way_to_the_others(english: Stage, backlog: int) -> None:
    await reported(english)
    await english.report(english.petr, english.printer)
    for number in range(backlog):
        await english.ivan.say(f"word {number}", settle=False)
    await english.petr.say("is anybody there?", settle=False)
    await english.town.settle()

    async def order(tx: Transaction) -> list[str]:
        rows = await tx.all(inbox.inbox.select().order_by(inbox.inbox.c.id))
        return [row.body.get("text", "") for row in rows]

    async def said(tx: Transaction) -> tuple[list[int], list[int]]:
        petr = [each for each in await tickets.messages_of(tx, TicketId(2)) if "anybody" in each.text]
        ivan = [each for each in await tickets.messages_of(tx, TicketId(1)) if "word" in each.text]
        return [each.id for each in petr], [each.id for each in ivan]

    came = await english.town.database.read(order)
    assert came.index("is anybody there?") == len(came) - 1
    [petr], ivan = await english.town.database.read(said)
    assert len(ivan) == backlog
    assert len([each for each in ivan if each < petr]) <= 3


async def test_files_of_a_flood_are_shown_below_the_ticket_once_somebody_reads_it(english: Stage) -> None:
    await reported(english)
    await flood(english, MOST + 1)
    await english.ivan.say("look", files=[("screen.png", b"png")])
    assert await shown(english, "[screen.png]") == []
    for _ in range(2):
        await english.anna.press(english.w("button.read_flood"))
        assert "look [screen.png]" in await english.anna.last()
    copies = [each for each in await english.boris.thread(1) if "[screen.png]" in each and not each.only]
    assert [each.text for each in copies] == ["look\n[screen.png]"]


async def test_commands_are_no_flood(english: Stage) -> None:
    for _ in range(MOST + 5):
        await english.anna.say("/whoami", settle=False)
    await english.town.settle()
    told = texts(await english.anna.hears())
    assert len(told) == MOST + 5
    assert english.w("flood.told") not in told
