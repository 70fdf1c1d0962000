"""The kinds of steps: warnings, silent owners, levels, calendars, programs, and several pings at once."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from bot.adapters.port import Reader
from bot.adapters.webhook.adapter import Endpoint, Webhooks
from bot.message import Message, Paragraph, Plain
from core.database.transaction import Transaction
from core.escalation.model import Chain, Of, Policy, Step, plan, restarted
from core.kernel.clock import WallClock
from core.kernel.errors import TemporaryError
from core.kernel.ids import Address, Identity, TicketId
from core.people import store as people
from core.sla.calendars import Calendar
from core.tickets import actions as tickets
from core.tickets import emergencies
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Status
from tests import databases
from tests import town as towns
from tests.core.messenger import move_in
from tests.core.test_escalation import HOUR, MINUTE, PEOPLE, SECOND, Gone, act, asked, desk, pings, report
from tests.town import Shown, Somebody, Town

WARNED = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { before = "10m", of = "first_response", whom = "agents" },
  { after = "5m", of = "first_response", whom = "lead" },
]
"""
SLOW = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [{ after = "2h", of = "no_progress", whom = "owner", release_after = "30m" }]
"""
HANDED = """
[[levels]]
level = "L2"
people = ["Boris"]
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { after = "10m", of = "unclaimed", level = "L2" },
  { after = "20m", of = "unclaimed", whom = "agents" },
]
"""
TO_MARIA = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [{ after = "5m", of = "unclaimed", whom = "Maria" }]
"""
PROMISED_SOON = """
[sla.critical]
first_response = "30m"
next_response = "30d"
resolution = "30d"
"""


@pytest.fixture
async def warned(tmp_path: Path) -> AsyncIterator[Town]:
    async with towns.town(tmp_path, PEOPLE + WARNED + PROMISED_SOON) as opened:
        yield opened


@pytest.fixture
async def slow(tmp_path: Path) -> AsyncIterator[Town]:
    async with desk(tmp_path, SLOW) as opened:
        yield opened


def open_pings(shown: list[Shown]) -> list[Shown]:
    return [each for each in shown if each.tone == "ping" and each.thread is None and each.buttons]


async def private_pings(somebody: Somebody) -> list[Shown]:
    return [each for each in await somebody.sees() if each.tone == "ping" and each.thread is None]


async def ping_of(somebody: Somebody) -> Shown:
    """The one ping that this person can act on."""
    [found] = open_pings(await somebody.sees())
    return found


# ---- before a promise falls due, and after


async def test_a_step_warns_before_a_promise_is_broken_and_another_comes_after_it(warned: Town) -> None:
    number = await report(warned)
    await warned.later(20 * MINUTE - timedelta(seconds=1), step=MINUTE)
    assert await asked(warned, number) == []
    await warned.later(timedelta(seconds=1))
    assert await asked(warned, number) == ["Anna"]
    assert "first reply due in 10 min" in await ping_of(warned["anna"])
    await warned.later(15 * MINUTE, step=MINUTE)
    assert await asked(warned, number) == ["Anna", "Maria"]
    assert "first reply overdue by 5 min" in await ping_of(warned["maria"])


async def test_a_promise_that_is_kept_is_warned_of_no_more(warned: Town) -> None:
    number = await report(warned)
    await act(warned, "anna", tickets.reply, number, "On it")
    await warned.later(2 * HOUR, step=10 * MINUTE)
    assert await asked(warned, number) == []


async def test_while_it_waits_for_the_requester_the_warning_waits_too_and_comes_once(warned: Town) -> None:
    number = await report(warned)
    await act(warned, "anna", tickets.take, number)
    await warned.later(10 * MINUTE)
    await act(warned, "anna", tickets.wait, number)
    await warned.later(3 * HOUR, step=10 * MINUTE)
    await act(warned, "ivan", tickets.say, number, "It is back")
    await warned.later(9 * MINUTE)
    assert await asked(warned, number) == []
    await warned.later(MINUTE)
    assert await asked(warned, number) == ["Anna"]
    await act(warned, "anna", tickets.wait, number)
    await warned.later(HOUR)
    await act(warned, "ivan", tickets.say, number, "And again")
    await warned.later(5 * MINUTE)
    assert await asked(warned, number) == ["Anna"]


# ---- an owner who does nothing


async def test_a_silent_owner_is_asked_whether_they_are_still_working_on_it(slow: Town) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(2 * HOUR, step=10 * MINUTE)
    ping = await ping_of(slow["anna"])
    assert "Are you still working on it?" in ping
    assert "nothing has happened for 2 h" in ping
    assert "Without an answer it is nobody’s again at 11:30." in ping
    assert list(ping.buttons) == ["Still on it", "Release…", "Pass to…"]


async def test_whoever_says_so_keeps_it_and_is_asked_again_after_as_long(slow: Town) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(2 * HOUR, step=10 * MINUTE)
    await slow["anna"].press("Still on it")
    assert open_pings(await slow["anna"].sees()) == []
    assert "Anna is still working on it" in [each.text for each in await slow["boris"].thread(number)]
    await slow.later(2 * HOUR - MINUTE, step=10 * MINUTE)
    assert (await slow.ticket(number)).owner is not None
    assert await asked(slow, number) == ["Anna"]
    await slow.later(MINUTE)
    assert await asked(slow, number) == ["Anna", "Anna"]


async def test_without_an_answer_the_ticket_is_released_with_a_word(slow: Town) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(2 * HOUR + 30 * MINUTE, step=10 * MINUTE)
    ticket = await slow.ticket(number)
    assert (ticket.owner, ticket.status) == (None, Status.NEW)
    told = "It is nobody’s again: its owner did not answer"
    assert told in [each.text for each in await slow["boris"].thread(number)]
    [over] = [each for each in await slow["anna"].sees() if each.tone == "ping" and each.thread is None]
    assert "Nobody answered, so it went back to the queue at 11:30." in over


@pytest.mark.parametrize("act_", ["note", "reply"])
async def test_any_work_on_it_is_an_answer(slow: Town, act_: str) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(2 * HOUR, step=10 * MINUTE)
    await act(slow, "anna", getattr(tickets, act_), number, "Looking at the logs")
    await slow.settle()
    assert open_pings(await slow["anna"].sees()) == []
    await slow.later(HOUR, step=10 * MINUTE)
    assert (await slow.ticket(number)).owner is not None


async def test_what_the_requester_adds_is_no_work_of_the_owners(slow: Town) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(HOUR)
    await act(slow, "ivan", tickets.say, number, "Any news?")
    await slow.later(HOUR)
    assert await asked(slow, number) == ["Anna"]


async def test_nobody_but_the_owner_can_say_that_they_are_still_on_it(slow: Town) -> None:
    number = await report(slow)
    await act(slow, "anna", tickets.take, number)
    await slow.later(2 * HOUR, step=10 * MINUTE)
    code = (await ping_of(slow["anna"])).buttons["Still on it"]
    card = await slow["boris"].card(number)
    await slow["boris"].press_code(card, code)
    assert (await slow["boris"].last()).text == "#1 is not yours: take it first with /take 1."


# ---- levels


async def test_a_step_hands_the_ticket_over_to_a_level_whose_people_are_asked_from_then_on(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, HANDED) as town:
        number = await report(town)
        before = await town.ticket(number)
        await town.later(10 * MINUTE, step=MINUTE)
        ticket = await town.ticket(number)
        assert ticket.level is Level.L2
        assert (ticket.unclaimed_since, ticket.created_at) == (before.unclaimed_since, before.created_at)
        assert "It went to L2 by itself" in [each.text for each in await town["anna"].thread(number)]
        assert await asked(town, number) == ["None"]
        await town.later(10 * MINUTE, step=MINUTE)
        assert (await asked(town, number))[1:] == ["Boris"]


async def test_a_ticket_that_is_higher_already_is_not_handed_down(tmp_path: Path) -> None:
    async with desk(tmp_path, HANDED) as town:
        number = await report(town)
        await act(town, "anna", tickets.set_level, number, Level.L3)
        await town.later(15 * MINUTE, step=MINUTE)
        assert (await town.ticket(number)).level is Level.L3


SECOND_LEVEL = """
[[rotas]]
name = "Second level"
level = "L2"
[[rotas.layers]]
people = ["Boris"]
starts = "2026-03-02"
"""


async def test_who_is_on_call_for_a_level_is_told_what_is_handed_over_to_it(tmp_path: Path) -> None:
    async with desk(tmp_path, SECOND_LEVEL) as town:
        number = await report(town)
        await act(town, "anna", tickets.set_level, number, Level.L2, "needs the router's password")
        await town.settle()
        told = [each.text for each in await town["boris"].hears()]
        assert any("Anna handed #1 It is broken over to L2" in each for each in told)
        assert any("needs the router's password" in each for each in told)
        await act(town, "boris", tickets.set_level, number, Level.L1)
        await act(town, "boris", tickets.set_level, number, Level.L2)
        await town.settle()
        assert not any(
            "handed" in each.text for each in await town["boris"].hears() if each.room == "u-boris"
        )


# ---- several at once


async def test_what_falls_on_one_person_at_once_is_one_message_with_a_line_for_each(tmp_path: Path) -> None:
    async with desk(tmp_path, TO_MARIA) as town:
        first, second, third = [await report(town) for _ in range(3)]
        await town.later(5 * MINUTE)
        ping = await ping_of(town["maria"])
        assert "⏰ 3 tickets wait for you" in ping
        for number in (first, second, third):
            assert f"🔴 #{number} It is broken: critical, unclaimed for 5 min" in ping
        await town["maria"].press(f"Take #{second}")
        ping = await ping_of(town["maria"])
        assert "⏰ 2 tickets wait for you" in ping
        assert f"#{second} It is broken: Maria took it" in ping
        assert f"Take #{second}" not in ping.buttons
        await act(town, "anna", tickets.take, first)
        await act(town, "boris", tickets.resolve, third, "done")
        await town.settle()
        assert open_pings(await town["maria"].sees()) == []
        [over] = [each for each in await town["maria"].sees() if each.tone == "ping" and each.thread is None]
        assert "All of these have been seen to" in over


async def test_whoever_is_asked_again_has_one_message_to_act_on(tmp_path: Path) -> None:
    again = TO_MARIA.replace('whom = "Maria"', 'whom = "Maria", repeat = "5m", times = 3')
    async with desk(tmp_path, again) as town:
        number = await report(town)
        await town.later(5 * MINUTE)
        assert "You are asked again at 09:10." in await ping_of(town["maria"])
        await town.later(10 * MINUTE, step=MINUTE)
        assert "unclaimed for 15 min" in await ping_of(town["maria"])
        told = [each.text.split("\n")[1] for each in await private_pings(town["maria"])]
        assert told[:2] == ["Asked again at 09:10.", "Asked again at 09:15."]
        assert (await town["anna"].card(number)).text.count("pinged at") == 1
        await town["maria"].press("Snooze 30 min")
        assert len(open_pings(await town["maria"].sees())) == 1
        await act(town, "anna", tickets.take, number)
        await town.settle()
        assert all("Anna took it" in each for each in await private_pings(town["maria"]))


async def test_what_was_asked_again_of_several_has_one_button(tmp_path: Path) -> None:
    again = TO_MARIA.replace('whom = "Maria"', 'whom = "Maria", repeat = "5m", times = 2')
    async with desk(tmp_path, again) as town:
        first = await report(town)
        second = await report(town)
        await town.later(5 * MINUTE)
        await act(town, "anna", tickets.take, second)
        await town.later(5 * MINUTE)
        assert f"#{first} It is broken" in await ping_of(town["maria"])
        [earlier, _] = await private_pings(town["maria"])
        assert "Asked again since then" in earlier
        assert f"#{first} It is broken: Asked again at 09:10." in earlier
        assert f"#{second} It is broken: Anna took it" in earlier


async def test_the_more_pressing_stand_first_and_keep_their_buttons(tmp_path: Path) -> None:
    anyone = TO_MARIA.replace('priorities = ["critical"]\n', "")
    async with desk(tmp_path, anyone) as town:
        low = [await report(town, Priority.LOW) for _ in range(7)]
        critical = await report(town)
        await town.later(5 * MINUTE)
        ping = await ping_of(town["maria"])
        assert ping.text.index(f"🔴 #{critical} ") < ping.text.index(f"#{low[0]} ")
        assert next(iter(ping.buttons)) == f"Take #{critical}"


async def test_so_many_that_no_screen_holds_them_are_counted(tmp_path: Path) -> None:
    async with desk(tmp_path, TO_MARIA) as town:
        for _ in range(40):
            await report(town)
        await town.later(5 * MINUTE)
        ping = await ping_of(town["maria"])
        assert "⏰ 40 tickets wait for you" in ping
        assert "And 30 more: /queue shows all" in ping
        assert len(ping.buttons) == 12


async def test_what_comes_later_is_a_message_of_its_own(tmp_path: Path) -> None:
    async with desk(tmp_path, TO_MARIA) as town:
        await report(town)
        await town.later(MINUTE)
        await report(town)
        await town.later(5 * MINUTE, step=MINUTE)
        assert len(open_pings(await town["maria"].sees())) == 2


# ---- calendars


def test_the_time_of_a_policy_passes_on_its_calendar_and_a_new_chain_begins_at_once_there_too() -> None:
    office = Calendar("office", UTC, (((540, 1080),),) * 5 + ((), ()))
    policy = Policy("p", tuple(Priority), (), (Step(30 * MINUTE, Of.UNCLAIMED, "agents"),), office)
    friday = datetime(2026, 3, 6, 17, 45, tzinfo=UTC)
    ticket = _unclaimed(friday)
    [due] = plan(policy, ticket, Chain(ticket.id), {})
    assert due[3] == datetime(2026, 3, 9, 9, 15, tzinfo=UTC)
    ticket = _unclaimed(friday - HOUR)
    monday = datetime(2026, 3, 9, 9, 5, tzinfo=UTC)
    [due] = plan(policy, ticket, restarted(policy, ticket, monday), {})
    assert due[3] == monday
    night = datetime(2026, 3, 9, 23, 0, tzinfo=UTC)
    [due] = plan(policy, ticket, restarted(policy, ticket, night), {})
    assert due[3] <= datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


def _unclaimed(since: datetime) -> Any:
    from dataclasses import replace

    from core.kernel.events import Event
    from core.kernel.ids import PersonId
    from core.tickets.model import opened

    facts = {
        "title": "x", "type": "other", "queue": "support", "priority": "critical", "requester": 1,
        "home": "web:u-ivan", "answers": [],
    }  # fmt: skip
    return replace(opened(Event(TicketId(1), "opened", since, PersonId(1), "web", facts)), id=TicketId(1))


# ---- through which messenger, and what does not get through


async def attach(town: Town, account: str, identity: Identity) -> None:
    async def work(tx: Transaction) -> None:
        person = await people.by_identity(tx, Identity("web", account))
        assert person is not None
        await people.attach(tx, identity, person.id)

    await town.database.write(work)


VIA = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [{{ after = "5m", of = "unclaimed", whom = "Maria", via = "{via}" }}]
"""
HOUR_BETWEEN = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { after = "1m", of = "unclaimed", whom = "Anna" },
  { after = "1h", of = "unclaimed", whom = "Maria" },
]
"""


@pytest.mark.parametrize(("via", "there"), [("telegram", 1), ("web", 0), ("slack", 1)])
async def test_a_step_asks_through_its_messenger_whoever_has_an_account_there(
    tmp_path: Path, via: str, there: int
) -> None:
    async with desk(tmp_path, VIA.format(via=via)) as town:
        office = move_in(town)
        office.platform = "telegram"
        town.house.adapters["telegram"] = office  # type: ignore[index]
        await attach(town, "maria", Identity("telegram", "7"))
        await report(town)
        await town.later(5 * MINUTE)
        assert len(office.asked) == there
        assert len(open_pings(await town["maria"].sees())) == 1 - there


async def test_a_ping_that_does_not_get_through_for_a_minute_is_not_waited_for(tmp_path: Path) -> None:
    async with desk(tmp_path, HOUR_BETWEEN) as town:
        office = move_in(town)
        await attach(town, "anna", Identity("fake", "anna"))
        await town.database.write(_forget_the_page_of_anna)
        office.always["anna"] = TemporaryError("the messenger is down")
        number = await report(town)
        await town.later(MINUTE + 50 * SECOND, step=SECOND)
        assert await asked(town, number) == ["Anna"]
        await town.later(2 * MINUTE, step=SECOND)
        assert await asked(town, number) == ["Anna", "Maria"]
        del office.always["anna"]
        await town.later(5 * MINUTE, step=SECOND)
        assert [each.verb for each in office.asked][-1] == "post"
        assert {ping.answer for ping in await pings(town, number)} == {None}


async def test_a_ping_that_does_not_get_through_goes_to_another_messenger_of_the_same_person(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, HOUR_BETWEEN) as town:
        office = move_in(town)
        await attach(town, "anna", Identity("fake", "anna"))
        office.always["anna"] = TemporaryError("the messenger is down")
        number = await report(town)
        await town.later(5 * MINUTE, step=SECOND)
        assert await asked(town, number) == ["Anna"]
        assert "Take it" in (await ping_of(town["anna"])).buttons


async def test_a_ping_that_arrives_after_somebody_was_asked_again_leaves_one_message_to_act_on(
    tmp_path: Path,
) -> None:
    often = HOUR_BETWEEN.replace('whom = "Anna"', 'whom = "Anna", repeat = "20s", times = 3')
    async with desk(tmp_path, often) as town:
        office = move_in(town)
        await attach(town, "anna", Identity("fake", "anna"))
        await town.database.write(_forget_the_page_of_anna)
        office.always["anna"] = TemporaryError("the messenger is down")
        await report(town)
        await town.later(MINUTE + 45 * SECOND, step=SECOND)
        del office.always["anna"]
        office.asked.clear()
        await town.later(5 * MINUTE, step=SECOND)
        shown = {each.nonce or str(place): each for place, each in enumerate(office.asked)}
        assert [each.verb for each in office.asked].count("post") == 3
        assert len([each for each in shown.values() if each.verb == "edit" and each.message.over]) == 2


async def _forget_the_page_of_anna(tx: Transaction) -> None:
    await people.detach(tx, Identity("web", "anna"))


# ---- programs

KEY = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


class Program:
    """A program that listens at an address and remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], str]] = []
        self.answers: list[int] = []

    async def hear(self, request: web.Request) -> web.Response:
        self.heard.append(
            ({name.lower(): told for name, told in request.headers.items()}, await request.text())
        )
        return web.Response(status=self.answers.pop(0) if self.answers else 204)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.heard]


@pytest.fixture
async def program() -> AsyncIterator[tuple[Program, str]]:
    listening = Program()
    site = web.Application()
    site.router.add_post("/hook", listening.hear)
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield listening, f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


def calling(url: str) -> str:
    return f"""
[[webhooks]]
name = "pager"
url = "{url}"
secret = "{KEY}"
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  {{ after = "5m", of = "unclaimed", whom = "webhook pager" }},
  {{ after = "1h", of = "unclaimed", whom = "lead" }},
]
"""


async def test_a_program_is_told_of_the_ping_in_a_signed_call_and_of_what_became_of_it(
    tmp_path: Path, program: tuple[Program, str]
) -> None:
    listening, url = program
    async with desk(tmp_path, calling(url)) as town:
        number = await report(town)
        await town.later(5 * MINUTE)
        [told] = listening.told
        assert told["type"] == "ticket.ping"
        assert told["timestamp"] == town.clock.now().isoformat()
        assert {key: told["data"][key] for key in ("ticket", "priority", "of", "policy", "queue")} == {
            "ticket": "1", "priority": "critical", "of": "unclaimed", "policy": "urgent", "queue": "support",
        }  # fmt: skip
        assert told["data"]["text"].startswith("#1 It is broken: critical, unclaimed for 5 min")
        [(headers, body)] = listening.heard
        signed = Webhook(KEY).sign(headers["webhook-id"], town.clock.now(), body)
        assert headers["webhook-signature"] == signed
        assert headers["webhook-timestamp"] == str(int(town.clock.now().timestamp()))
        await act(town, "anna", tickets.take, number)
        await town.settle()
        assert [each["type"] for each in listening.told] == ["ticket.ping", "ticket.ping.answered"]
        assert listening.told[1]["data"]["answer"] == "claimed"
        assert len({headers["webhook-id"] for headers, _ in listening.heard}) == 2


async def test_a_call_that_was_not_heard_is_repeated_under_the_same_id(
    tmp_path: Path, program: tuple[Program, str]
) -> None:
    listening, url = program
    listening.answers = [503, 204]
    async with desk(tmp_path, calling(url)) as town:
        await report(town)
        await town.later(5 * MINUTE)
        await town.later(MINUTE)
        assert [headers["webhook-id"] for headers, _ in listening.heard] == [
            "msg_parcel-" + _number(listening)
        ] * 2


def _number(listening: Program) -> str:
    return listening.heard[0][0]["webhook-id"].rpartition("-")[2]


async def test_a_program_that_refuses_for_good_makes_the_next_step_come_at_once(
    tmp_path: Path, program: tuple[Program, str]
) -> None:
    listening, url = program
    listening.answers = [410]
    async with desk(tmp_path, calling(url)) as town:
        number = await report(town)
        await town.later(5 * MINUTE)
        assert await asked(town, number) == ["webhook:pager", "Maria"]
        assert (await pings(town, number))[0].answer == "undelivered"


SAID = Message((Paragraph(Plain("It waits.")),))
PAGER = Address("webhook", "pager")


async def test_a_program_verifies_a_call_on_real_time(program: tuple[Program, str]) -> None:
    listening, url = program
    webhooks = Webhooks([Endpoint("pager", url, KEY)], WallClock())
    await webhooks.post(PAGER, SAID, Reader("en", "UTC"), "17")
    [(headers, body)] = listening.heard
    assert Webhook(KEY).verify(body, headers)["data"] == {"text": "It waits."}
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(body.replace("waits", "burns"), headers)


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 70}.example"])
async def test_an_address_that_no_network_knows_is_trouble_that_does_not_tell_it(host: str) -> None:
    webhooks = Webhooks([Endpoint("pager", f"https://{host}/s3cr3t-part", KEY)], WallClock())
    with pytest.raises(TemporaryError) as caught:
        await webhooks.post(PAGER, SAID, Reader("en", "UTC"), "17")
    assert str(caught.value) == "the webhook pager does not answer: UnicodeError"
    assert webhooks.health().note == "webhook pager: UnicodeError"


async def test_neither_the_address_nor_the_key_of_a_program_is_kept_or_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk(tmp_path, calling("http://127.0.0.1:9/hook/s3cr3t-part")) as town:
        await report(town)
        await town.later(5 * MINUTE)
        await town.later(HOUR, step=10 * MINUTE)
        assert "s3cr3t-part" not in databases.content(town.path)
        assert "s3cr3t-part" not in caplog.text
        assert "s3cr3t-part" not in str(town.house.health())


# ---- what cannot wait

DUTY = """
[emergency]
enabled = true
hours = "always"
[[rotas]]
name = "Support"
[[rotas.layers]]
people = ["Boris"]
starts = "2026-03-02"
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [{ after = "1h", of = "unclaimed", whom = "on-call" }]
"""


async def test_an_emergency_asks_whoever_is_on_call_at_once_and_again_as_the_policy_says(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, DUTY) as town:
        number = await report(town, Priority.LOW)
        await act(town, "ivan", emergencies.raise_emergency, number)
        await town.settle()
        assert await asked(town, number) == ["Boris"]
        ping = await ping_of(town["boris"])
        assert "Ivan says that it cannot wait." in ping
        assert "You are on call for Support." in ping
        await town.later(HOUR, step=10 * MINUTE)
        assert await asked(town, number) == ["Boris", "Boris"]


async def test_who_is_on_call_is_asked_in_their_quiet_hours_too(tmp_path: Path) -> None:
    async with desk(tmp_path, DUTY) as town:
        await town["boris"].say("/reach quiet 0-24")
        await town["boris"].hears()
        number = await report(town)
        await town.later(HOUR, step=10 * MINUTE)
        assert await asked(town, number) == ["Boris"]
        assert "Take it" in (await ping_of(town["boris"])).buttons


async def test_an_emergency_that_cannot_reach_who_is_on_call_goes_to_the_leads_once(tmp_path: Path) -> None:
    async with desk(tmp_path, DUTY) as town:
        adapters: Any = town.house.adapters
        adapters["web"] = Gone(adapters["web"], "u-boris", "u-maria")
        number = await report(town, Priority.LOW)
        await act(town, "ivan", emergencies.raise_emergency, number)
        await town.later(30 * MINUTE, step=MINUTE)
        assert await asked(town, number) == ["Boris", "Maria"]


# ---- in the eyes of the auditor


async def test_pings_in_one_message_and_calls_to_programs_are_in_order_for_the_auditor(
    tmp_path: Path, program: tuple[Program, str]
) -> None:
    _, url = program
    async with desk(tmp_path, calling(url).replace('"lead"', '"Maria"')) as town:
        for _ in range(3):
            await report(town)
        await town.later(2 * HOUR, step=5 * MINUTE)
        assert "⏰ 3 tickets wait for you" in await ping_of(town["maria"])
        verdict = await town.house.audit.run()
        assert (verdict.seen, verdict.found) == (3, [])
