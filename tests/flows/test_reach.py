"""Where and when somebody is written to: what `/reach` understands and shows; what quiet hours hold back."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import i18n
from bot.message import Words
from core.database.transaction import Transaction
from core.escalation import whom
from core.escalation.model import AGENTS, LEAD, OWNER, Of, Step
from core.kernel.ids import Identity, PersonId, TicketId
from core.outbox.model import Parcel
from core.people import store as people
from core.people.reach import DAY, Hours, Reach, Rule
from core.tickets import store as tickets
from tests.flows.conftest import Stage, texts
from tests.town import Shown, Somebody
from tests.town import town as opened

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WEEKDAYS = (0, 1, 2, 3, 4)
NOW = "/reach quiet 8-10"
"""The clock begins on a Monday at nine."""


DESK = '[desk]\nlanguage = "{language}"\ntime_zone = "UTC"\n'


@pytest.fixture(params=["en", "ru"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """A desk whose clocks are known, wherever this runs."""
    async with opened(tmp_path, DESK.format(language=request.param)) as town:
        yield Stage(town, request.param)


@pytest.fixture
async def english(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path, DESK.format(language="en")) as town:
        yield Stage(town, "en")


async def wishes(who: Somebody) -> Reach:
    person = await who.town.database.read(lambda tx: people.by_identity(tx, who.identity))
    assert person is not None
    return person.reach


async def joined(who: Somebody, *accounts: str) -> None:
    """These accounts are theirs too, and were heard from long ago."""

    async def attach(tx: Transaction) -> None:
        person = await people.by_identity(tx, who.identity)
        assert person is not None
        for account in accounts:
            await people.attach(tx, Identity.parse(account), person.id)

    await who.town.database.write(attach)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("web", (Rule("web"),)),
        ("web 9-18 mon-fri", (Rule("web", Hours(540, 1080, WEEKDAYS)),)),
        ("web 9:30–18 weekdays", (Rule("web", Hours(570, 1080, WEEKDAYS)),)),
        ("веб с 9 до 18 по будням", (Rule("web", Hours(540, 1080, WEEKDAYS)),)),
        ("в вебе с 9 до 18 по будням", (Rule("web", Hours(540, 1080, WEEKDAYS)),)),
        ("веб-чат 9 - 18 пн, иначе web", (Rule("web", Hours(540, 1080, (0,))), Rule("web"))),
        ("web from 22 to 6:15", (Rule("web", Hours(1320, 375)),)),
        ("web fri-mon", (Rule("web", Hours(0, DAY, (0, 4, 5, 6))),)),
        ("web 9-18 otherwise web", (Rule("web", Hours(540, 1080)), Rule("web"))),
        ("web 9-18, web otherwise", (Rule("web", Hours(540, 1080)), Rule("web"))),
        ("9-18 in the web web otherwise", (Rule("web", Hours(540, 1080)), Rule("web"))),
        ("WEB 18-24 Sat Wed; otherwise in web", (Rule("web", Hours(1080, DAY, (2, 5))), Rule("web"))),
    ],
)
async def test_hours_are_understood_as_people_write_them(
    english: Stage, typed: str, told: tuple[Rule, ...]
) -> None:
    await english.anna.say(f"/reach {typed}")
    assert (await wishes(english.anna)).rules == told


@pytest.mark.parametrize(
    "typed",
    [
        "sometimes", "web 25-26", "web 9-9", "web 9-18 9-10", "web 9-18 someday", "web 9:75-10", "otherwise",
        "otherwise web 9-18", "quiet", "quiet 0-24", "web,", "web 24-3", ", ".join(["web 9-18"] * 11),
    ],
)  # fmt: skip
async def test_what_is_not_understood_changes_nothing_and_is_told_with_examples(
    stage: Stage, typed: str
) -> None:
    await stage.anna.say("/reach quiet 22-7")
    await stage.anna.say(f"/reach {typed}")
    assert (await stage.anna.last()).text == stage.w("reach.valid")
    assert await wishes(stage.anna) == Reach(quiet=Hours(1320, 420))


@pytest.mark.parametrize("where", ["в слаке", "в слэке", "в слак", "Slack"])
async def test_messengers_are_named_as_people_name_them(english: Stage, where: str) -> None:
    await english.anna.say(f"/reach {where} с 9 до 18 по будням")
    assert (await english.anna.last()).text == not_in_slack(english)


async def test_a_messenger_without_an_account_there_is_refused(stage: Stage) -> None:
    await stage.anna.say("/reach slack 9-18")
    assert (await stage.anna.last()).text == not_in_slack(stage)
    assert await wishes(stage.anna) == Reach()


def not_in_slack(stage: Stage) -> str:
    via = {"via": stage.w("via.slack"), "own": stage.w("via.web")}
    return stage.w("reach.no_account", **via, command="/link")


async def test_the_examples_that_are_told_are_understood(stage: Stage) -> None:
    await stage.anna.say(stage.w("reach.how").partition(": ")[2])
    assert (await stage.anna.last()).text == not_in_slack(stage)
    await stage.anna.say(stage.w("reach.how_quiet").partition(": ")[2])
    assert await wishes(stage.anna) == Reach(quiet=Hours(1320, 420))
    await stage.anna.say(stage.w("reach.valid").rpartition(": ")[2])
    assert await wishes(stage.anna) == Reach()


async def test_the_page_tells_the_rules_in_words_with_buttons_that_clear_them(stage: Stage) -> None:
    await stage.anna.say("/reach web 9-18 mon-fri, otherwise web, quiet 22-7")
    page = await stage.anna.last()
    span = {"en": "9:00–18:00, Mon–Fri", "ru": "9:00–18:00, пн–пт"}[stage.language]
    night = {"en": "22:00–7:00, every day", "ru": "22:00–7:00, ежедневно"}[stage.language]
    web = stage.w("via.web")
    for line in (
        stage.w("reach.title"),
        stage.w("reach.rule", via=web, hours=span),
        stage.w("reach.otherwise", via=web),
        stage.w("reach.quiet", hours=night),
        stage.w("reach.clock", zone="UTC", at="09:00"),
    ):
        assert line in page.text.splitlines()
    await stage.anna.press(stage.w("button.clear_rules"))
    assert await wishes(stage.anna) == Reach(quiet=Hours(1320, 420))
    await stage.anna.press(stage.w("button.clear_quiet"))
    assert await wishes(stage.anna) == Reach()
    assert stage.w("reach.anywhere") in await stage.anna.last()
    assert not (await stage.anna.last()).buttons


async def test_rules_are_told_anew_as_a_whole_and_quiet_hours_apart_from_them(english: Stage) -> None:
    await english.anna.say("/reach web 9-18")
    await english.anna.say("/reach quiet 22-7")
    await english.anna.say("/reach web")
    assert await wishes(english.anna) == Reach((Rule("web"),), Hours(1320, 420))
    await english.anna.say("/reach quiet off")
    assert await wishes(english.anna) == Reach((Rule("web"),))
    await english.anna.say("/reach off")
    assert await wishes(english.anna) == Reach()


async def test_somebody_with_one_account_is_told_how_to_add_another(stage: Stage) -> None:
    await stage.ivan.say("/reach")
    page = await stage.ivan.last()
    assert stage.w("reach.anywhere") in page
    assert stage.w("reach.link", command="/link") in page
    assert "quiet" not in page


async def test_quiet_hours_are_for_the_team(stage: Stage) -> None:
    await stage.ivan.say("/reach quiet 22-7")
    assert (await stage.ivan.last()).text == stage.w("reach.quiet_staff")
    assert await wishes(stage.ivan) == Reach()


async def test_wishes_outlive_a_restart_of_the_desk_and_what_it_is_configured_with(english: Stage) -> None:
    await english.anna.say("/reach web 9-18, quiet 22-7")
    before = await wishes(english.anna)
    await english.town.restart()
    assert await wishes(english.anna) == before


# ---- quiet hours


async def pinged(stage: Stage) -> list[str]:
    """Who has been sent a ping so far."""
    return [
        who
        for who in ("anna", "boris", "maria")
        if any(each.tone == "ping" and each.thread is None for each in await stage.town[who].sees())
    ]


async def after(stage: Stage, seconds: int) -> None:
    await stage.town.later(seconds * SECOND, step=SECOND)


async def test_a_ping_goes_to_the_next_person_at_once_where_quiet_hours_are_kept(stage: Stage) -> None:
    await stage.anna.say(NOW)
    await stage.report(stage.ivan, urgency="critical")
    await after(stage, 15)
    assert await pinged(stage) == ["boris"]
    assert stage.w("event.pinged", names="Boris Orlov") in texts(await stage.boris.thread(1))


async def test_pings_come_again_when_the_quiet_hours_are_over(stage: Stage) -> None:
    await stage.anna.say("/reach quiet 22-9")
    await stage.report(stage.ivan, urgency="critical")
    await after(stage, 15)
    assert await pinged(stage) == ["anna"]


async def test_the_owner_who_wants_quiet_is_left_alone_and_an_agent_is_asked(english: Stage) -> None:
    await english.report(english.ivan, urgency="critical")
    await english.anna.press("Take it")
    await english.anna.say(NOW)
    await after(english, 60)
    assert await pinged(english) == ["boris"]


async def test_while_all_agents_want_quiet_the_lead_is_asked(english: Stage) -> None:
    await english.anna.say(NOW)
    await english.boris.say(NOW)
    await english.report(english.ivan, urgency="critical")
    await after(english, 15)
    assert await pinged(english) == ["maria"]


async def test_while_everybody_wants_quiet_the_ping_stands_in_the_team_s_space(stage: Stage) -> None:
    for who in (stage.anna, stage.boris, stage.maria):
        await who.say(NOW)
    await stage.report(stage.ivan, urgency="critical")
    await after(stage, 15)
    assert await pinged(stage) == []
    assert any(each.tone == "ping" for each in await stage.boris.thread(1))


@pytest.mark.parametrize("name", [AGENTS, OWNER, LEAD, "Maria Sokolova"])
async def test_nobody_is_asked_in_their_quiet_hours_whomever_the_step_names(
    english: Stage, name: str
) -> None:
    await english.report(english.ivan, urgency="critical")
    for who in (english.anna, english.boris, english.maria):
        await who.say(NOW)

    async def asked(tx: Transaction) -> list[PersonId | None]:
        ticket, step = await tickets.get(tx, TicketId(1)), Step(SECOND, Of.UNCLAIMED, name)
        return [each.person for each in await whom.targets(tx, ticket, step, tx.now)]

    assert await english.town.database.read(asked) == [None]


async def test_what_a_colleague_hands_over_waits_for_the_end_of_the_quiet_hours(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say(NOW)
    await stage.anna.hears()
    await stage.boris.say("/pass 1 @anna knows VPN")
    assert await stage.anna.hears() == []
    await stage.town.later(59 * MINUTE)
    assert await stage.anna.hears() == []
    await stage.town.later(MINUTE)
    [told] = await stage.anna.hears()
    assert stage.w("told.handed", name="Boris Orlov", ticket=1, title=stage.vpn) in told


def shown(who: list[Shown], words: str) -> list[str]:
    """What holds the words, of what stands in private."""
    return [each.text for each in who if words in each and each.thread is None and not each.deleted]


async def watched(stage: Stage) -> None:
    """Anna watches a ticket, has read what Ivan said there, and wants quiet when he says more."""
    await stage.report(stage.ivan)
    await stage.anna.say("/watch 1")
    await stage.ivan.say("My password is hunter2")
    await stage.anna.say(NOW)
    await stage.anna.hears()
    await stage.ivan.say("It is the second floor")
    await stage.boris.say("/reply 1 Is it wet there?")
    assert await stage.anna.hears() == []


async def test_an_edit_waits_for_no_quiet_hours_nor_for_what_does(stage: Stage) -> None:
    await watched(stage)
    await stage.ivan.edit("My password is hunter2", "Never mind")
    assert shown(await stage.anna.sees(), "hunter2") == []
    assert shown(await stage.anna.sees(), "Never mind") != []
    assert await stage.anna.hears() == []


async def test_what_is_taken_back_goes_at_once_in_quiet_hours_too(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/watch 1")
    await stage.anna.say(NOW)
    await stage.anna.hears()
    await stage.town.later(55 * MINUTE)
    await stage.anna.say("/reach quiet off")
    await stage.boris.say("/reply 1 wrong words")
    assert shown(await stage.anna.sees(), "wrong words") != []
    await stage.anna.say(NOW)
    await stage.ivan.say("What?")
    await stage.boris.press(stage.w("button.undo"))
    assert shown(await stage.anna.sees(), "wrong words") == []


async def test_what_waited_comes_in_its_order_and_in_the_words_it_has_by_then(stage: Stage) -> None:
    await watched(stage)
    await stage.ivan.edit("My password is hunter2", "Never mind")
    await stage.ivan.edit("It is the second floor", "It is the third floor")
    assert await stage.anna.hears() == []
    await stage.town.later(HOUR)
    told = [each.text.splitlines()[1] for each in await stage.anna.hears()]
    assert told[0] == "It is the third floor"
    assert told[-1] == "Is it wet there?"


async def test_whoever_asks_in_their_quiet_hours_is_answered_at_once(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.boris.say(NOW)
    await stage.anna.say("/pass 1 @boris")
    await stage.boris.hears()
    await stage.boris.say("/mine")
    [told] = await stage.boris.hears()
    assert stage.vpn in told


async def test_what_waited_comes_at_once_when_the_quiet_hours_are_given_up(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say(NOW)
    await stage.boris.say("/pass 1 @anna")
    await stage.anna.hears()
    await stage.anna.say("/reach quiet off")
    assert any("Boris Orlov" in each for each in await stage.anna.hears())


def test_what_waits_holds_up_no_ping() -> None:
    """A ping may be answered while other news waits."""
    news = Parcel("told_handed", person=PersonId(7), ticket=TicketId(1))
    assert Parcel("ping", person=PersonId(7), ticket=TicketId(1)).lane != news.lane


async def test_a_bad_rating_waits_for_the_lead_s_quiet_hours_to_end(english: Stage) -> None:
    await english.maria.say(NOW)
    await english.report(english.ivan)
    await english.anna.say("/resolve 1 done")
    await english.ivan.press(english.w("button.fixed"))
    await english.maria.hears()
    await english.ivan.press("★")
    assert await english.maria.hears() == []
    await english.town.later(HOUR)
    assert any("1/5" in each for each in await english.maria.hears())


async def test_a_requester_is_told_at_any_hour(english: Stage) -> None:
    """What is said of one's own requests is no news of the team's."""
    await english.report(english.boris)
    await english.boris.say(NOW)
    await english.boris.hears()
    await english.anna.say("/reply 1 hello")
    assert any("hello" in each for each in await english.boris.hears())


async def test_nothing_is_offered_elsewhere_to_somebody_with_one_account(english: Stage) -> None:
    await english.report(english.ivan)
    await english.ivan.say("/status 1")
    assert list((await english.ivan.last()).buttons) == ["It is an emergency"]
    await joined(english.ivan, "slack:T1/U1")  # no Slack is connected here
    await english.ivan.say("/my")
    assert not (await english.ivan.last()).buttons
    await english.ivan.say("/reach")
    assert "I know one messenger" in await english.ivan.last()


@pytest.mark.parametrize("code", ["w.go.1.web", "w.go.1.telegram", "w.through.1.1.web"])
async def test_nobody_moves_another_s_ticket_nor_learns_that_it_is_there(stage: Stage, code: str) -> None:
    await stage.report(stage.ivan)
    await stage.petr.say("/help")
    await stage.petr.press_code(await stage.petr.last(), code)
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=1)
    await stage.petr.press_code(await stage.petr.last(), code.replace("1", "9", 1))
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=9)
    assert "rehomed" not in await stage.kinds(1)


async def test_staff_do_not_choose_for_the_requester_and_requesters_send_nothing_on(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/reply 1 hello")
    await stage.boris.say("/help")
    await stage.boris.press_code(await stage.boris.last(), "w.go.1.telegram")
    assert (await stage.boris.last()).text == stage.w("right.judge", ticket=1)
    await stage.ivan.press_code(await stage.ivan.last(), "w.through.1.2.web")
    assert (await stage.ivan.last()).text == stage.w("right.work", ticket=1)


async def test_a_note_is_never_sent_through_to_the_requester(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/note 1 he always forgets")
    await stage.anna.say("/help")
    for code in ("w.through.1.1.web", "w.through.1.2.web", "w.through.1.x.web", "w.through.1"):
        await stage.anna.press_code(await stage.anna.last(), code)
        assert (await stage.anna.last()).text in (stage.w("press.over"), stage.w("press.stale"))
    assert not any("forgets" in each for each in await stage.ivan.sees())


def test_the_words_used_here_are_the_desks() -> None:
    from core.kernel.clock import HandClock

    now = HandClock().now()
    said = {"button.take": "Take it"}
    assert {key: i18n.word(Words(key), "en", time_zone="UTC", now=now) for key in said} == said
