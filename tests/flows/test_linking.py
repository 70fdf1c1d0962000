"""Joining two accounts by a code, looking at them, and parting with one."""

import re
from collections.abc import Callable
from datetime import timedelta

from core.database.transaction import Transaction
from core.people import store as people
from core.people.model import Person, Role
from core.tickets import store as tickets
from core.tickets.model import fold
from tests import databases
from tests.flows.conftest import Stage, texts
from tests.town import Somebody

CODE = re.compile(r"/link ([2-9A-HJ-NP-Z]{8})(?!\S)")


async def code(person: Somebody) -> str:
    """A new code of this account, as its owner reads it."""
    await person.say("/link")
    found = CODE.search((await person.last()).text)
    assert found is not None
    return found[1]


async def who(stage: Stage, person: Somebody) -> Person | None:
    return await stage.town.database.read(lambda tx: people.by_identity(tx, person.identity))


async def written(one: Somebody, other: Somebody) -> None:
    """The other account writes the code of the one, and is asked."""
    await other.say(f"/link {await code(one)}")


async def joined(stage: Stage, one: Somebody, other: Somebody) -> None:
    await written(one, other)
    asked = await other.last()
    yes = next(code for code in asked.buttons.values() if code.startswith("i.join."))
    await other.press_code(asked, yes)


def account(stage: Stage, person: Somebody) -> str:
    return f"{stage.w('via.web')} ({person.identity})"


async def test_a_code_written_by_another_account_makes_both_one_person(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["olga-phone"]
    shown_code = await code(olga)
    assert stage.w("link.code") in await olga.last()
    await phone.hears()
    await phone.say(f"/link {shown_code}")
    await phone.press(stage.w("button.is_mine"))
    assert await who(stage, olga) == await who(stage, phone) is not None
    told = await phone.last()
    assert stage.w("link.joined", account=account(stage, olga)) in told
    assert stage.w("link.undo", command=f"/unlink {olga.identity}") in told
    assert stage.w("link.joined", account=account(stage, phone)) in await olga.last()
    shown = texts(await olga.sees())
    assert stage.w("link.code_over") in shown
    assert not any(shown_code in each for each in shown)


async def test_the_requests_of_both_are_the_requests_of_one(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["olga-phone"]
    await olga.say("hello")
    await stage.report(phone)
    await stage.anna.press(stage.w("button.take"))
    await phone.say("it is worse now")
    await joined(stage, olga, phone)
    person = await who(stage, olga)
    assert person is not None
    assert (await stage.ticket(1)).requester == person.id
    assert (await stage.kinds(1))[-1] == "adopted"
    assert stage.w("event.adopted", requester=person.name) in texts(await stage.anna.thread(1))

    async def look(tx: Transaction) -> None:
        assert fold(await tickets.timeline(tx, (await stage.ticket(1)).id)) == await stage.ticket(1)
        said = await tickets.messages_of(tx, (await stage.ticket(1)).id)
        assert {each.author for each in said} == {person.id}

    await stage.town.database.read(look)
    await olga.say("/my")
    assert f"#1 · {stage.w('turn.open')} · {stage.vpn}" in await olga.last()
    await phone.edit("it is worse now", "it is much worse")
    assert ("request", "it is much worse") in await stage.words_of(1)
    await stage.anna.fill(stage.w("button.reply"), text="Restart it")
    assert "Restart it" in await phone.last()


async def test_a_request_under_way_goes_on_with_its_files(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/my")
    await phone.say(stage.vpn, files=[("log.txt", b"17")])
    await joined(stage, olga, phone)
    assert stage.w("link.joined", account=account(stage, olga)) in texts(await phone.sees())[-1]
    question = next(each for each in reversed(await phone.sees()) if stage.w("button.cancel") in each.buttons)
    await phone.press_code(question, next(iter(question.buttons.values())))
    await stage.answer_all(phone, "normal")
    await phone.press(stage.w("button.send"))
    person = await who(stage, olga)
    assert person is not None
    assert (await stage.ticket(1)).requester == person.id
    assert "[log.txt]" in "".join(texts(await stage.anna.thread(1)))


async def test_requests_that_came_along_are_found_by_the_name_that_stays(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/my")
    await stage.report(phone)
    await joined(stage, olga, phone)
    person = await who(stage, olga)
    assert person is not None
    await stage.anna.say(f"/find {person.name}")
    assert stage.vpn in await stage.anna.last()


async def test_a_place_beside_somebody_elses_request_follows(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/my")
    await phone.say("/my")
    await stage.report(stage.ivan)
    await stage.ivan.say("/add 1 @phone")
    await olga.say("/status 1")
    assert (await olga.last()).text == stage.w("ticket.unknown", ticket=1)
    await joined(stage, olga, phone)
    await olga.say("/status 1")
    assert stage.vpn in await olga.last()


async def test_a_ticket_that_was_shared_between_both_is_simply_theirs(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await phone.say("/my")
    await stage.report(olga)
    await olga.say("/add 1 @phone")
    await joined(stage, olga, phone)
    person = await who(stage, phone)
    assert person is not None
    assert (await stage.ticket(1)).requester == person.id

    async def look(tx: Transaction) -> None:
        assert await tickets.participants_of(tx, (await stage.ticket(1)).id) == {}

    await stage.town.database.read(look)


async def test_a_requester_joined_with_an_agent_is_that_agent(stage: Stage) -> None:
    phone = stage.town["phone"]
    await stage.report(phone)
    await joined(stage, stage.anna, phone)
    anna = await who(stage, phone)
    assert anna is not None
    assert (anna.name, anna.roles) == ("Anna Smirnova", frozenset({Role.AGENT}))
    await phone.say("/queue")
    assert "#1" in await phone.last()
    await stage.town.restart()
    assert await who(stage, phone) == await who(stage, stage.anna)


async def test_a_requester_who_writes_a_code_is_asked_whether_it_is_their_own(stage: Stage) -> None:
    thief, victim = stage.town["thief"], stage.town["victim"]
    await stage.report(victim)
    await written(thief, victim)
    asked = await victim.last()
    assert stage.w("link.is_it_yours", account=account(stage, thief), name="thief") in asked
    assert await who(stage, thief) != await who(stage, victim)
    await victim.press(stage.w("button.not_mine"))
    await thief.say("/status 1")
    assert (await thief.last()).text == stage.w("ticket.unknown", ticket=1)


async def test_an_agent_who_writes_a_code_is_asked_whether_that_account_may_do_all_that_they_can(
    stage: Stage,
) -> None:
    phone, thief = stage.town["phone"], stage.town["thief"]
    await phone.say("/my")
    await written(phone, stage.anna)
    question = stage.w("link.is_it_yours", account=account(stage, phone), name="phone")
    asked = await stage.anna.last()
    assert question in asked
    assert await who(stage, phone) != await who(stage, stage.anna)
    await thief.say("/my")
    await thief.press_code(await thief.last(), asked.buttons[stage.w("button.is_mine")])
    assert (await thief.last()).text == stage.w("press.over")
    await stage.anna.press(stage.w("button.is_mine"))
    assert question not in texts(await stage.anna.sees())
    found = await who(stage, phone)
    assert found is not None
    assert found.name == "Anna Smirnova"


async def test_an_agent_who_says_no_joins_nobody_and_the_code_is_good_no_more(stage: Stage) -> None:
    thief, other = stage.town["thief"], stage.town["other"]
    shown_code = await code(thief)
    await stage.anna.say(f"/link {shown_code}")
    yes = (await stage.anna.last()).buttons[stage.w("button.is_mine")]
    await stage.anna.press(stage.w("button.not_mine"))
    asked = await stage.anna.last()
    assert asked.text == stage.w("link.refused")
    await stage.anna.press_code(asked, yes)
    assert (await stage.anna.last()).text == stage.w("press.over")
    await other.say(f"/link {shown_code}")
    assert (await other.last()).text == stage.w("link.wrong")
    assert await who(stage, thief) != await who(stage, stage.anna)


async def test_two_of_the_configuration_are_not_joined(stage: Stage) -> None:
    for other in (stage.boris, stage.ivan):
        await written(stage.anna, other)
        assert (await other.last()).text == stage.w("link.both_named")
        assert await who(stage, stage.anna) != await who(stage, other)


async def test_an_admin_is_joined_with_nobody(stage: Stage) -> None:
    stranger = stage.town["stranger"]
    await stage.maria.say("/link")
    assert (await stage.maria.last()).text == stage.w("link.admin")
    shown_code = await code(stranger)
    await stage.maria.say(f"/link {shown_code}")
    assert (await stage.maria.last()).text == stage.w("link.admin")
    assert await who(stage, stranger) != await who(stage, stage.maria)


async def test_a_code_is_good_once(stage: Stage) -> None:
    olga, phone, thief = (stage.town[name] for name in ("olga", "phone", "thief"))
    shown_code = await code(olga)
    await phone.say(f"/link {shown_code}")
    await phone.press(stage.w("button.is_mine"))
    await thief.say(f"/link {shown_code}")
    assert (await thief.last()).text == stage.w("link.wrong")
    assert await who(stage, thief) != await who(stage, olga)


async def test_a_code_is_good_for_ten_minutes(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    shown_code = await code(olga)
    await stage.town.later(timedelta(minutes=10))
    await phone.say(f"/link {shown_code}")
    assert (await phone.last()).text == stage.w("link.wrong")


async def test_a_code_that_is_used_or_over_stands_nowhere_in_the_database_as_it_was_shown(
    stage: Stage,
) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    used = await code(olga)
    assert len([each for each in texts(await olga.sees()) if used in each]) == 1
    await phone.say(f"/link {used}")
    left = await code(olga)
    await stage.town.later(timedelta(minutes=10))
    assert not [each for each in texts(await olga.sees()) if used in each or left in each]
    assert texts(await olga.sees()).count(stage.w("link.code_over")) == 2
    assert [row for row in databases.rows(stage.town.path) if left in row] == []


async def test_a_newer_code_takes_the_place_of_the_one_before(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    first, second = await code(olga), await code(olga)
    assert first != second
    assert len([each for each in texts(await olga.sees()) if CODE.search(each)]) == 1
    await phone.say(f"/link {first}")
    assert (await phone.last()).text == stage.w("link.wrong")
    await phone.say(f"/link {second}")
    await phone.press(stage.w("button.is_mine"))
    assert await who(stage, phone) == await who(stage, olga)


async def test_a_code_may_be_typed_as_people_type(english: Stage) -> None:
    look_alike = str.maketrans("ABEKMHPCTYX", "АВЕКМНРСТУХ")
    ways: dict[str, Callable[[str], str]] = {
        "small": lambda code: code.lower(),
        "parted": lambda code: f" {code[:4]}-{code[4:]} ",
        "cyrillic": lambda code: code.translate(look_alike).lower(),
    }
    for name, typed in ways.items():
        olga, phone = english.town[f"olga-{name}"], english.town[f"phone-{name}"]
        await phone.say(f"/link {typed(await code(olga))}")
        await phone.press(english.w("button.is_mine"))
        assert await who(english, phone) == await who(english, olga), name


async def test_ones_own_code_is_not_used_up(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    shown_code = await code(olga)
    for _ in range(6):
        await olga.say(f"/link {shown_code}")
        assert (await olga.last()).text == stage.w("link.own")
    await phone.say(f"/link {shown_code}")
    await phone.press(stage.w("button.is_mine"))
    assert await who(stage, phone) == await who(stage, olga)
    await phone.say(f"/link {await code(olga)}")
    assert (await phone.last()).text == stage.w("link.joined_already")


async def test_five_wrong_codes_lock_an_account_out_for_an_hour(stage: Stage) -> None:
    olga, thief = stage.town["olga"], stage.town["thief"]
    for _ in range(5):
        await thief.say("/link AAAAAAAA")
        assert (await thief.last()).text == stage.w("link.wrong")
    until = stage.town.clock.now() + timedelta(hours=1)
    shown_code = await code(olga)
    await thief.say(f"/link {shown_code}")
    assert stage.w("link.locked", until="@").split("@")[0] in await thief.last()
    await stage.town.later(until - stage.town.clock.now() - timedelta(seconds=1))
    await thief.say(f"/link {await code(olga)}")
    assert await who(stage, thief) != await who(stage, olga)
    await stage.town.later(timedelta(seconds=1))
    await joined(stage, olga, thief)
    assert await who(stage, thief) == await who(stage, olga)


async def test_wrong_codes_long_ago_lock_nobody_out(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    for _ in range(7):
        await phone.say("/link AAAAAAAA")
        await stage.town.later(timedelta(minutes=3))
    await joined(stage, olga, phone)
    assert await who(stage, phone) == await who(stage, olga)


async def test_in_a_room_of_many_a_code_is_given_in_private_alone(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say_below(1, "/link")
    for shown in await stage.anna.sees():
        assert not (CODE.search(shown.text) and shown.thread)
    assert CODE.search((await stage.anna.last()).text)
    assert not any(CODE.search(each) for each in texts(await stage.boris.sees()))


async def test_a_code_written_among_others_is_good_no_more(stage: Stage) -> None:
    olga = stage.town["olga"]
    await stage.report(stage.ivan)
    shown_code = await code(olga)
    await stage.anna.say_below(1, f"/link {shown_code}")
    assert (await stage.anna.last()).text == stage.w("link.in_public")
    await stage.boris.say(f"/link {shown_code}")
    assert (await stage.boris.last()).text == stage.w("link.wrong")
    assert await who(stage, olga) not in (await who(stage, stage.anna), await who(stage, stage.boris))


async def test_the_chosen_language_follows(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    other = {"en": "ru", "ru": "en"}[stage.language]
    await olga.say("/my")
    await phone.say(f"/lang {other}")
    await joined(stage, olga, phone)
    found = await who(stage, olga)
    assert found is not None
    assert found.language == other


async def test_whoami_shows_every_account(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/whoami")
    assert account(stage, phone) not in await olga.last()
    await joined(stage, olga, phone)
    await olga.say("/whoami")
    assert stage.w("start.whoami_also", accounts=account(stage, phone)) in await olga.last()


async def test_accounts_are_listed_with_buttons_to_part_with_them(stage: Stage) -> None:
    phone = stage.town["phone"]
    await stage.anna.say("/unlink")
    assert (await stage.anna.last()).text == stage.w("unlink.alone")
    await joined(stage, stage.anna, phone)
    await stage.anna.say("/unlink")
    shown = await stage.anna.last()
    assert f"{account(stage, stage.anna)} · {stage.w('unlink.here')} · {stage.w('unlink.given')}" in shown
    assert list(shown.buttons) == [stage.w("button.unlink", account=account(stage, phone))]
    await phone.hears()
    await stage.anna.press(stage.w("button.unlink", account=account(stage, phone)))
    assert stage.w("unlink.done", account=account(stage, phone)) in texts(await stage.anna.sees())
    assert (await phone.last()).text == stage.w("unlink.gone")
    assert await who(stage, phone) is None
    await stage.anna.press_code(shown, next(iter(shown.buttons.values())))
    assert (await stage.anna.last()).text == stage.w("press.over")


async def test_an_account_that_was_parted_with_begins_anew(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/my")
    await stage.report(phone)
    await joined(stage, olga, phone)
    await olga.say(f"/unlink {phone.identity}")
    person = await who(stage, olga)
    assert person is not None
    assert (await stage.ticket(1)).requester == person.id
    await phone.say("/my")
    assert (await phone.last()).text == stage.w("list.none_mine")
    await phone.say("/status 1")
    assert (await phone.last()).text == stage.w("ticket.unknown", ticket=1)
    await phone.hears()
    await stage.anna.press(stage.w("button.take"))
    await stage.anna.fill(stage.w("button.reply"), text="Between the two of us")
    assert not any("Between the two of us" in each for each in texts(await phone.sees()))
    assert "Between the two of us" in await olga.last()


async def test_an_account_can_part_with_itself(stage: Stage) -> None:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await joined(stage, olga, phone)
    await phone.say(f"/unlink {phone.identity}")
    assert (await phone.last()).text == stage.w("unlink.gone")
    assert stage.w("unlink.done", account=account(stage, phone)) in await olga.last()


async def test_what_the_configuration_gives_and_the_last_account_stay(stage: Stage) -> None:
    phone, olga = stage.town["phone"], stage.town["olga"]
    await joined(stage, stage.anna, phone)
    await phone.say(f"/unlink {stage.anna.identity}")
    assert (await phone.last()).text == stage.w("unlink.configured", account="web:anna")
    await olga.say(f"/unlink {olga.identity}")
    assert (await olga.last()).text == stage.w("unlink.last")
    await olga.say("/unlink telegram")
    assert (await olga.last()).text == stage.w("unlink.valid")


async def test_who_had_no_hand_in_it_cannot_undo_it(stage: Stage) -> None:
    olga, phone, thief = (stage.town[name] for name in ("olga", "phone", "thief"))
    await thief.say("/my")
    await joined(stage, olga, phone)
    shown = await phone.last()
    [button] = shown.buttons.values()
    await thief.press_code(await thief.last(), button)
    assert (await thief.last()).text == stage.w("press.over")
    await thief.say(f"/unlink {phone.identity}")
    assert (await thief.last()).text == stage.w("unlink.valid")
    assert await who(stage, olga) == await who(stage, phone)
