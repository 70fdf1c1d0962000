"""What is said to somebody who joined an account or parted with one reaches the accounts they have now."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.adapters.webchat import receive
from core import joining
from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.kernel.ids import PersonId, TicketId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Head, Parcel, State
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.model import Ticket, fold
from tests.flows.conftest import Stage, texts
from tests.flows.test_linking import joined, who
from tests.town import Somebody

TEAM = """
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
[[queues]]
name = "support"
title = "Support"
spaces = ["web:support"]
[[request_types]]
name = "other"
title = "Other"
urgency = "normal"
"""


def holding(words: str, *shown: str) -> list[str]:
    return [each for each in shown if words in each]


async def shares(stage: Stage, colleague: Somebody) -> None:
    """Ivan has a ticket, and the colleague belongs to it."""
    await colleague.say("/my")
    await stage.report(stage.ivan)
    await stage.anna.say(f"/add 1 @{colleague.account}")


async def present(stage: Stage, number: int) -> dict[PersonId, str]:
    return await stage.town.database.read(partial(ticket_store.participants_of, ticket_id=TicketId(number)))


async def folds(stage: Stage, number: int) -> Ticket:
    """The ticket, which is the fold of its timeline."""
    ticket = await stage.ticket(number)
    timeline = await stage.town.database.read(partial(ticket_store.timeline, ticket_id=ticket.id))
    assert fold(timeline) == ticket
    return ticket


async def actor(tx: Transaction, somebody: Somebody) -> Actor:
    person = await people.by_identity(tx, somebody.identity)
    assert person is not None
    return Actor(person, "web")


def part(somebody: Somebody, account: Somebody) -> partial[object]:
    async def work(tx: Transaction) -> None:
        home = somebody.town.house.adapters["web"].direct
        await joining.part(tx, await actor(tx, somebody), account.identity, home)

    return partial(somebody.town.database.write, work)


async def anything(tx: Transaction, head: Head) -> bool:
    return True


# ---- two who are one


async def test_who_came_by_merging_leaves_when_it_is_undone_also_as_who_they_proved_to_be(
    english: Stage,
) -> None:
    older = english.town["older"]
    await older.say("/my")
    await english.report(english.ivan)
    await english.report(english.petr)
    await english.anna.say("/take 1")
    await english.anna.say("/merge 2 into 1")
    await joined(english, english.petr, older)
    assert len(await present(english, 1)) == 1
    await english.anna.say("/unmerge 2")
    assert await present(english, 1) == {}
    for account in (older, english.petr):
        await account.hears()
    await english.anna.say("/reply 1 For Ivan alone")
    assert not holding("For Ivan alone", *texts(await older.hears()), *texts(await english.petr.hears()))
    await older.say("/status 1")
    assert (await older.last()).text == english.w("ticket.unknown", ticket=1)


async def test_who_was_asked_to_come_through_either_account_stays_when_a_merge_is_undone(
    english: Stage,
) -> None:
    for number, (merged, asked) in enumerate((("early", "late"), ("late", "early"))):
        first = 1 + 2 * number
        one, other = english.town[f"{merged}-{number}"], english.town[f"{asked}-{number}"]
        await english.town[f"early-{number}"].say("/my")
        await english.town[f"late-{number}"].say("/my")
        await english.report(english.ivan, "/new vpn drops")
        await english.report(one)
        await english.anna.say(f"/merge {first + 1} into {first}")
        await english.anna.say(f"/add {first} @{other.account}")
        await joined(english, one, other)
        await english.anna.say(f"/unmerge {first + 1}")
        person = await who(english, one)
        assert person is not None
        assert list(await present(english, first)) == [person.id]


async def test_words_changed_or_taken_back_are_so_in_every_account_they_were_shown_in(english: Stage) -> None:
    older = english.town["older"]
    await older.say("/my")
    await shares(english, english.petr)
    await english.anna.say("/add 1 @older")
    await english.ivan.say("my password is hunter2")
    await english.anna.say_below(1, "/reply the key is 1234")
    await joined(english, english.petr, older)
    await english.ivan.edit("hunter2", "never mind")
    await english.anna.edit("/reply the key is 1234", "/reply the key is gone")
    for account in (english.petr, older):
        seen = texts(await account.sees())
        assert not holding("hunter2", *seen)
        assert not holding("1234", *seen)
        assert len(holding("never mind", *seen)) == 1
        assert len(holding("the key is gone", *seen)) == 1
    await english.anna.say_below(1, "/reply on second thought")
    await english.anna.press(english.w("button.undo"))
    for account in (english.petr, older):
        standing = [each.text for each in await account.sees() if not each.deleted]
        assert not holding("on second thought", *standing)


async def test_what_a_watcher_reads_in_the_account_they_joined_changes_there(english: Stage) -> None:
    await english.town.restart(TEAM)
    await english.report(english.ivan)
    await english.boris.say("/watch 1")
    await english.ivan.say("my password is hunter2")
    assert holding("hunter2", *texts(await english.boris.sees()))
    await english.town.restart(TEAM.replace("web:boris", "web:boris-new"))
    fresh = english.town["boris-new"]
    await joined(english, english.boris, fresh)
    await english.ivan.edit("hunter2", "never mind")
    own = [each.text for each in await english.boris.sees() if each.thread is None]
    assert not holding("hunter2", *own)


async def test_words_shown_to_a_requester_change_once_wherever_they_stand(english: Stage) -> None:
    older, olga = english.town["older"], english.town["olga"]
    for account in (older, olga):
        await account.say("/my")
    await english.report(english.petr)
    await english.anna.say("/add 1 @olga")
    await olga.say("it is 0000 for me")
    await joined(english, english.petr, older)
    await olga.edit("0000", "it is 9999 for me")
    seen = holding("for me", *texts(await english.petr.sees()), *texts(await older.sees()))
    assert len(seen) == 1
    assert "9999" in seen[0]
    message = next(each for each in await words(english, 1) if "9999" in each[1])[0]

    async def move(tx: Transaction) -> None:
        await tickets.move_away(tx, await actor(tx, olga), TicketId(1), message, TicketId(1))

    await english.town.database.write(move)
    await english.town.settle()
    standing = [each.text for each in await english.petr.sees() if not each.deleted]
    assert not holding("9999", *standing)


async def words(stage: Stage, number: int) -> list[tuple[int, str]]:
    said = await stage.town.database.read(partial(ticket_store.messages_of, ticket_id=TicketId(number)))
    return [(each.id, each.text) for each in said]


async def test_a_ticket_one_was_on_is_still_ones_own(english: Stage) -> None:
    await english.town.restart(TEAM)
    await english.report(english.ivan)
    await english.report(english.ivan, "/new and the other screen")
    for number in (1, 2):
        await english.boris.say(f"/take {number}")
    await english.boris.say("/resolve 2 done")
    await english.ivan.press(english.w("button.fixed"))
    await english.town.restart(TEAM.replace("web:boris", "web:boris-new"))
    fresh = english.town["boris-new"]
    await joined(english, english.boris, fresh)
    person = await who(english, fresh)
    assert person == await who(english, english.boris) is not None
    assert person is not None
    for number in (1, 2):
        assert (await folds(english, number)).owner == person.id
    assert (await english.kinds(1))[-1] == "inherited"
    assert english.w("event.inherited", owner="Boris") in texts(await english.anna.thread(1))


async def test_a_button_with_somebodys_name_means_who_they_proved_to_be(english: Stage) -> None:
    older = english.town["older"]
    for account in (older, english.petr):
        await account.say("/my")
    await english.report(english.ivan)
    await english.anna.say_below(1, "ask @petr about it")
    add = english.w("button.add", name="petr")
    offered = next(each for each in await english.anna.sees() if add in each.buttons)
    await joined(english, english.petr, older)
    await english.anna.press_code(offered, offered.buttons[add])
    person = await who(english, older)
    assert person is not None
    assert list(await present(english, 1)) == [person.id]


async def test_a_report_under_way_for_somebody_is_for_who_they_proved_to_be(english: Stage) -> None:
    older = english.town["older"]
    for account in (older, english.petr):
        await account.say("/my")
    await english.anna.say("/new for @petr vpn drops")
    await english.answer_all(english.anna, "normal")
    await joined(english, english.petr, older)
    await english.anna.press(english.w("button.send"))
    person = await who(english, older)
    assert person is not None
    assert (await english.ticket(1)).requester == person.id


# ---- an account that was parted with


async def test_new_words_are_not_written_into_an_account_that_was_parted_with(english: Stage) -> None:
    phone = english.town["phone"]
    await shares(english, english.petr)
    await joined(english, english.petr, phone)
    await english.town.later(timedelta(seconds=5))
    await phone.say("/my")
    await english.ivan.say("first words")
    assert holding("first words", *texts(await phone.sees()))
    await english.petr.say(f"/unlink {phone.identity}")
    await english.ivan.edit("first words", "second words")
    assert not holding("second words", *texts(await phone.sees()))
    assert len(holding("second words", *texts(await english.petr.sees()))) == 1
    await english.ivan.edit("second words", "third words")
    assert len(holding("third words", *texts(await english.petr.sees()))) == 1


async def test_a_watcher_reads_new_words_in_the_accounts_they_have(english: Stage) -> None:
    phone = english.town["phone"]
    await english.report(english.ivan)
    await english.anna.say("/watch 1")
    await joined(english, english.anna, phone)
    await english.town.later(timedelta(seconds=5))
    await phone.say("/my")
    await english.ivan.say("first words")
    assert holding("first words", *texts(await phone.sees()))
    await english.anna.say(f"/unlink {phone.identity}")
    await english.ivan.edit("first words", "second words")
    assert not holding("second words", *texts(await phone.sees()))


async def test_what_is_taken_back_is_so_in_accounts_that_were_parted_with_too(english: Stage) -> None:
    phone = english.town["phone"]
    await shares(english, english.petr)
    await joined(english, english.petr, phone)
    await english.town.later(timedelta(seconds=5))
    await phone.say("/my")
    await english.anna.say("/reply 1 first words")
    assert holding("first words", *texts(await phone.sees()))
    await english.petr.say(f"/unlink {phone.identity}")
    message = next(each for each in await words(english, 1) if each[1] == "first words")[0]

    async def change(tx: Transaction) -> None:
        await tickets.edit_message(tx, await actor(tx, english.anna), TicketId(1), message, "second words")

    async def take_back(tx: Transaction) -> None:
        await tickets.withdraw(tx, await actor(tx, english.anna), TicketId(1), message)

    for work in (change, take_back):
        await english.town.database.write(work)
        await english.town.settle()
    for account in (phone, english.petr):
        standing = [each.text for each in await account.sees() if not each.deleted]
        assert not holding("first words", *standing)
        assert not holding("second words", *standing)


async def test_a_reply_is_taken_back_from_a_room_that_is_the_requesters_no_more(english: Stage) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    await english.anna.say_below(1, "/reply between the two of us")
    await olga.say(f"/unlink {phone.identity}")
    assert holding("between the two", *[each.text for each in await phone.sees() if not each.deleted])
    await english.anna.press(english.w("button.undo"))
    assert not holding("between the two", *[each.text for each in await phone.sees() if not each.deleted])


async def leased(stage: Stage, kind: str) -> Parcel:
    claimed = await stage.town.database.write(lambda tx: outbox.claim(tx, frozenset(), 100, anything))
    return next(each for each in claimed if each.kind == kind)


async def olga_has_a_ticket_through_her_phone(stage: Stage) -> tuple[Somebody, Somebody]:
    olga, phone = stage.town["olga"], stage.town["phone"]
    await olga.say("/my")
    await stage.report(phone)
    await joined(stage, olga, phone)
    await stage.anna.say("/take 1")
    return olga, phone


async def replies(stage: Stage, text: str) -> int:
    async def work(tx: Transaction) -> int:
        return await tickets.reply(tx, await actor(tx, stage.anna), TicketId(1), text)

    return await stage.town.database.write(work)


async def test_what_is_on_its_way_to_an_account_is_tried_again_at_another_once_it_was_parted_with(
    english: Stage,
) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    await replies(english, "for Olga alone")
    held = await leased(english, "reply")
    await part(olga, phone)()
    await english.town.database.write(lambda tx: outbox.retry(tx, held, "timeout", delay=None, unknown=True))
    await english.town.later(timedelta(minutes=2))
    assert not holding("for Olga alone", *texts(await phone.sees()))
    assert holding("for Olga alone", *texts(await olga.sees()))


async def test_what_was_on_its_way_as_the_desk_died_goes_to_another_account_once_it_was_parted_with(
    english: Stage,
) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    await replies(english, "for Olga alone")
    await leased(english, "reply")
    await part(olga, phone)()
    await english.town.restart()
    await english.town.later(timedelta(minutes=2))
    assert not holding("for Olga alone", *texts(await phone.sees()))
    assert holding("for Olga alone", *texts(await olga.sees()))


async def test_what_arrived_while_its_account_was_parted_with_is_not_brought_up_to_date_there(
    english: Stage,
) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    await replies(english, "for Olga alone")
    held = await leased(english, "reply")
    await part(olga, phone)()
    await english.town.database.write(lambda tx: outbox.show_again(tx, held))

    async def rooms(tx: Transaction) -> set[str]:
        waiting = await tx.all(posts.outbox.select().where(posts.outbox.c.kind == "reply"))
        return {row.room for row in waiting}

    home = f"web:{receive.direct_room(olga.identity)}"
    assert await english.town.database.read(rooms) == {home}


async def test_what_waits_for_an_account_that_is_parted_with_is_told_once(english: Stage) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    message = await replies(english, "Version ONE")
    await part(olga, phone)()

    async def change(tx: Transaction) -> None:
        await tickets.edit_message(tx, await actor(tx, english.anna), TicketId(1), message, "Version TWO")

    await english.town.database.write(change)
    await english.town.settle()
    assert len(holding("Version", *texts(await olga.sees()))) == 1
    assert not holding("Version", *texts(await phone.sees()))


async def test_every_parcel_waits_in_the_lane_of_where_it_goes(english: Stage) -> None:
    """Whatever was put before, for either account and anywhere: what goes to one place has one order."""
    olga, phone, newest = (english.town[name] for name in ("olga", "phone", "newest"))
    for account in (olga, phone, newest):
        await account.say("/my")
    await joined(english, olga, phone)

    async def put(tx: Transaction) -> None:
        for account, rooms in ((olga, ("web:u-phone", None, "web:u-olga")), (newest, (None, "web:u-newest"))):
            person = (await actor(tx, account)).person_id
            for room in rooms:
                for kind in ("told_parked", "ping"):
                    await outbox.put(tx, Parcel(kind, room=room, person=person, facts={"ping": 0}))

    async def waiting(tx: Transaction) -> list[tuple[str, str]]:
        rows = await tx.all(posts.outbox.select().where(posts.outbox.c.state == State.PENDING))
        return [(row.lane, posts.parcel(row).lane) for row in rows]

    await english.town.database.write(put)
    await part(olga, phone)()
    await english.town.database.write(lambda tx: _join(tx, olga, newest))
    found = await english.town.database.read(waiting)
    assert len(found) == 10
    assert all(kept == meant for kept, meant in found)
    assert not holding("phone", *(kept for kept, _ in found))


async def _join(tx: Transaction, olga: Somebody, other: Somebody) -> None:
    """What becomes of the parcels of two who are one."""
    one, two = (await actor(tx, olga)).person_id, (await actor(tx, other)).person_id
    assert one is not None
    assert two is not None
    await posts.hand_over(tx, two, one)


async def test_no_dialog_and_no_talk_goes_on_in_an_account_that_was_parted_with(english: Stage) -> None:
    olga, phone = await olga_has_a_ticket_through_her_phone(english)
    await phone.say("/new vpn drops")
    person = await who(english, olga)
    assert person is not None

    async def below(tx: Transaction) -> None:
        for dialog in await dialogs.all_under_way(tx):
            await dialogs.start(tx, replace(dialog, room="web:u-phone#7"))
        await dialogs.turn_to(tx, "web:u-phone#7", person.id, TicketId(1))

    async def left(tx: Transaction) -> list[str]:
        rows = [*await tx.all(dialogs.dialogs.select()), *await tx.all(dialogs.talks.select())]
        return [row.room for row in rows if row.room.startswith("web:u-phone")]

    await english.town.database.write(below)
    assert len(await english.town.database.read(left)) == 4
    await olga.say(f"/unlink {phone.identity}")
    assert await english.town.database.read(left) == []


# ---- the configuration has the last word


async def test_answers_do_not_follow_an_account_that_the_configuration_gives_to_somebody_else(
    english: Stage,
) -> None:
    await english.town.restart(TEAM)
    phone = english.town["phone"]
    await english.report(phone)
    await joined(english, phone, english.anna)
    await english.town.restart(TEAM.replace('"web:boris"', '"web:boris", "web:phone"'))
    ticket = await folds(english, 1)
    assert ticket.requester == getattr(await who(english, english.anna), "id", None)
    assert ticket.home == "web:u-anna"
    await english.boris.say("/reply 1 an answer for Anna")
    assert not holding("an answer for Anna", *texts([each for each in await phone.sees() if not each.thread]))
    assert holding("an answer for Anna", *texts(await english.anna.sees()))
