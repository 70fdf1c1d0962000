"""Searching from chat: filters in both languages, the scope of whoever asks, pages, and what can be done."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.people import actions as people
from core.people import store as people_store
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority
from core.tickets.model import Status
from tests.flows.conftest import Stage
from tests.flows.test_commands import ELSEWHERE
from tests.town import town


async def found(stage: Stage, words: str, who: str = "anna") -> list[int]:
    """The numbers of what is found, as they are listed."""
    await stage.town[who].say(f"/find {words}")
    lines = (await stage.town[who].last()).text.splitlines()
    return [int(line.split("#")[1].split()[0]) for line in lines if " #" in line and " · " in line]


async def answered(stage: Stage, words: str) -> str:
    await stage.anna.say(f"/find {words}")
    return (await stage.anna.last()).text


async def report(stage: Stage, who: str, text: str, kind: str = "network", times: int = 1) -> None:
    """Somebody asks for something, without a word about it."""

    async def work(tx: Transaction) -> None:
        person = await people.meet(tx, stage.town[who].identity, name=who, language=stage.language)
        for _ in range(times):
            await tickets.open_ticket(
                tx,
                Actor(person, "web"),
                type_name=kind,
                text=text,
                priority=Priority.NORMAL,
                home=f"web:{stage.town[who].direct}",
            )

    await stage.town.database.write(work)
    await stage.town.settle()


async def opened(stage: Stage) -> None:
    """Ivan's VPN, which Anna is on; Petr's printer, nobody's; Ivan's second, solved by Boris."""
    await report(stage, "ivan", stage.vpn)
    await report(stage, "petr", stage.printer, "hardware")
    await report(stage, "ivan", stage.vague, "other")
    await stage.anna.say("/take 1")
    await stage.boris.say("/take 3")
    await stage.boris.say("/resolve 3 done")


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (("mine", "мои"), [1]),
        (("unclaimed", "ничьи"), [2]),
        (("UNCLAIMED", "Свободные"), [2]),
        (("from:@ivan", "от:@ivan"), [3, 1]),
        (("from:Ivan", "от:IVAN"), [3, 1]),
        (('from:"ivan petrov"', "от:«ivan petrov»"), [3, 1]),
        (("from:web:petr", "от:web:petr"), [2]),
        (("from:me", "от:меня"), []),
        (("from:@nobody", "от:@никто"), []),
        (("type:network", "тип:network"), [1]),
        (("type:NETWORK mine", "тип:network мои"), [1]),
        (("type:network unclaimed", "тип:network ничьи"), []),
        (("status:new", "статус:новые"), [2]),
        (("status:open", "статус:работа"), [1]),
        (("status:resolved", "статус:решена"), [3]),
        (('status:"on hold"', "статус:отложенные"), []),
        (("queue:network", "очередь:network"), [1]),
        (("queue:support", "очередь:support"), [3, 2]),
    ],
)
async def test_filters_narrow_what_is_found(stage: Stage, words: tuple[str, str], numbers: list[int]) -> None:
    await opened(stage)
    for each in words:
        assert await found(stage, each) == numbers, each


async def test_names_are_found_whatever_the_case_and_the_dots(stage: Stage) -> None:
    async def rename(tx: Transaction) -> None:
        petr = await people_store.by_identity(tx, stage.petr.identity)
        assert petr is not None
        await people_store.save(tx, replace(petr, name="Пётр СЕМЁНОВ"))

    await report(stage, "petr", stage.vpn)
    await stage.town.database.write(rename)
    for name in ("Пётр", "петр", "ПЕТР", "семенов", "семён", '"семёнов пётр"'):
        assert await found(stage, f"from:{name}") == [1], name
    for name in ("ётр", "етр", '"пётр иванов"', "%", "_"):
        assert await found(stage, f"from:{name}") == [], name


async def test_words_and_filters_go_together_and_quotes_make_words_of_filters(stage: Stage) -> None:
    await report(stage, "ivan", f"{stage.vpn}, says mine: error:timeout")
    await report(stage, "petr", stage.printer)
    assert await found(stage, "timeout unclaimed") == [1]
    assert await found(stage, "timeout from:web:petr") == []
    assert await found(stage, '"mine"') == [1]
    assert await found(stage, "«error:timeout»") == [1]
    assert await found(stage, "http://error/timeout") == []
    assert await found(stage, "2") == [2]
    assert await found(stage, "2 from:ivan") == []


async def test_what_is_late_or_in_the_last_quarter_of_its_time_is_found(stage: Stage) -> None:
    await report(stage, "ivan", stage.vpn)
    assert await found(stage, "breaching") == []
    await stage.town.later(timedelta(minutes=3, seconds=40))
    assert await found(stage, "breaching") == []
    await stage.town.later(timedelta(seconds=10))
    await report(stage, "petr", stage.printer)
    assert await found(stage, "breaching") == [1]
    await stage.anna.say("/reply 1 on it")
    assert await found(stage, "горящие") == []
    await stage.town.later(timedelta(hours=1))
    assert await found(stage, "breaching") == [2, 1]
    await stage.anna.say("/hold 1")
    assert await found(stage, "просроченные") == [2]


async def test_each_status_is_found_by_the_name_it_is_told_by(stage: Stage) -> None:
    await report(stage, "ivan", stage.printer)
    for status in Status:
        assert await found(stage, f'status:"{stage.w(f"status.{status}")}"') == [1] * (status is Status.NEW)


async def test_a_filter_that_is_none_is_told_what_is_valid(stage: Stage) -> None:
    await opened(stage)
    assert await answered(stage, "owner:anna") == stage.w("find.no_filter", filter="owner:")
    names = "access, hardware, software, network, other"
    for key in ("type", "тип"):
        assert await answered(stage, f"{key}:vacation") == stage.w(
            "find.no_type", value="vacation", names=names
        )
    names = ", ".join(stage.w(f"status.{each}") for each in Status)
    told = stage.w("find.no_status", value="lost", names=names)
    assert await answered(stage, "status:lost vpn") == told
    told = stage.w("find.no_queue", value="sales", names="support, network")
    assert await answered(stage, "queue:sales") == told
    assert await answered(stage, '""') == stage.w("list.find_valid")


async def test_what_is_found_can_be_taken_and_opened(stage: Stage) -> None:
    await opened(stage)
    await stage.anna.say("/find from:web:petr")
    shown = await stage.anna.last()
    assert stage.w("find.hint") in shown
    await stage.anna.press("#2")
    ticket = await stage.anna.last()
    for part in (f"#2 {stage.printer}", stage.w("status.new"), "petr", stage.w("priority.normal")):
        assert part in ticket
    await stage.anna.press(stage.w("button.timeline"))
    assert stage.w("event.opened", actor="petr") in await stage.anna.last()
    await stage.anna.press_code(shown, shown.buttons[stage.w("button.take_number", ticket=2)])
    assert (await stage.ticket(2)).owner is not None
    await stage.anna.press("#2")
    assert stage.w("button.take_number", ticket=2) not in (await stage.anna.last()).buttons


async def test_long_results_are_shown_page_by_page_and_nothing_twice(stage: Stage) -> None:
    await report(stage, "ivan", "VPN", times=45)
    numbers = await found(stage, "vpn from:ivan unclaimed")
    first = await stage.anna.last()
    assert stage.w("list.found_part", shown=20, total=45) in first
    seen = list(numbers)
    for low, high in ((21, 40), (41, 45)):
        await report(stage, "ivan", "VPN")
        await stage.anna.press(stage.w("button.more_found"))
        page = await stage.anna.last()
        assert page.text.startswith(stage.w("find.page", first=low, last=high, total=46 if low == 21 else 47))
        seen += [int(line.split("#")[1].split()[0]) for line in page.text.splitlines() if " · " in line]
    assert seen == list(range(45, 0, -1))
    assert stage.w("button.more_found") not in page.buttons
    await stage.anna.say("/find printer")
    await stage.anna.press_code(first, first.buttons[stage.w("button.more_found")])
    assert (await stage.anna.last()).text == stage.w("press.stale")


async def test_nobody_pages_through_what_somebody_else_searched_for(english: Stage) -> None:
    await report(english, "ivan", "VPN", times=25)
    await english.anna.say("/find vpn")
    shown = await english.anna.last()
    code = shown.buttons[english.w("button.more_found")]
    await english.boris.say("hello")
    mine = await english.boris.last()
    await english.boris.press_code(mine, code)
    assert (await english.boris.last()).text == english.w("press.stale")


async def test_a_search_finds_only_what_the_asker_may_see(tmp_path: Path) -> None:
    """Anna serves another queue than the one where Ivan's VPN goes."""
    async with town(tmp_path, ELSEWHERE) as opened:
        stage = Stage(opened, "en")
        await report(stage, "ivan", stage.vpn)
        for words in ("vpn", "from:ivan", "unclaimed", "breaching", "type:network", "status:new", "1", "#1"):
            assert await found(stage, words) == []
        told = await answered(stage, "queue:network")
        assert told == stage.w("find.no_queue", value="network", names="support")
        await stage.anna.say("hello")
        await stage.anna.press_code(await stage.anna.last(), "s.open.1")
        assert (await stage.anna.last()).text == stage.w("ticket.unknown", ticket=1)
        await stage.anna.press_code(await stage.anna.last(), "s.timeline.1")
        assert (await stage.anna.last()).text == stage.w("ticket.unknown", ticket=1)


async def test_a_requester_opens_nothing_but_their_own(stage: Stage) -> None:
    await report(stage, "ivan", stage.vpn)
    await report(stage, "petr", stage.printer)
    for number, told in ((2, stage.w("ticket.unknown", ticket=2)), (1, f"#1 {stage.vpn}")):
        await stage.ivan.press_code(await stage.ivan.last(), f"s.open.{number}")
        assert told in await stage.ivan.last()
        assert stage.w("button.note") not in (await stage.ivan.last()).buttons


@pytest.mark.parametrize("code", ["s", "s.more", "s.more.1.x.2", "s.open.", "s.open.x", "s.what.1"])
async def test_an_odd_code_is_a_stale_button(english: Stage, code: str) -> None:
    await english.anna.say("/find vpn")
    await english.anna.press_code(await english.anna.last(), code)
    assert (await english.anna.last()).text == english.w("press.stale")
