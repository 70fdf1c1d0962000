"""Groups: quiet where nobody asked, and nothing lost when something is taken away there."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bot import config, doctor, i18n, main
from bot.flows import commands
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.outbox import store as outbox
from core.people import store as people
from core.tickets import queries
from core.tickets import store as tickets
from tests import databases
from tests.emulators.telegram import PIXEL, File, Group, Telegram
from tests.emulators.telegram.faults import Kind
from tests.telegram import rig as rigs
from tests.telegram.rig import ANNA, BORIS, GROUP, MARIA, Rig, labels

LOBBY = -1009876543210
OLD = -700700700


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path, forum=False) as opened:
        yield opened


def lobby(desk: Rig, **more: Any) -> Group:
    """A group that is nobody's staff space."""
    petr = desk.telegram.user(601, "Petr", language_code="en")
    return desk.telegram.group(LOBBY, "Everybody", members=[desk.ivan, desk.anna, petr], **more)


async def count(desk: Rig) -> int:
    return len(await desk.database.read(queries.all_ids))


async def notes(desk: Rig) -> list[str]:
    """What was written into ticket 1 for staff alone."""
    said = await desk.database.read(lambda tx: tickets.messages_of(tx, TicketId(1)))
    return [each.text for each in said if each.kind == "note"]


# ---- other groups


async def test_in_any_other_group_the_desk_is_quiet_until_it_is_named(desk: Rig) -> None:
    room = lobby(desk)
    for text in (
        "lunch?",
        "/help",
        "/my",
        "/poll@poll_bot",
        "@desk_test_bot2 hello",
        "VPN drops",
        "/tickets",
    ):
        await desk.say(desk.ivan, text, chat=room)
    assert room.from_bot == []
    assert await count(desk) == 0


async def test_who_names_the_desk_gets_a_ticket_and_goes_on_in_private(desk: Rig) -> None:
    room = lobby(desk)
    await desk.say(desk.ivan, "@desk_test_bot VPN drops for @maria", chat=room, photo=File("", PIXEL))
    assert [message.text for message in room.from_bot] == [
        desk.word("crowd.made", "en", ticket=1, name="Ivan Petrov")
    ]
    assert desk.card(1).text.startswith("🔵 #1 VPN drops for @maria\n")
    assert [each.files[0].data for each in desk.thread(1) if each.files] == [PIXEL]
    assert "is with the team" in desk.ivan.chat.last.text
    await desk.say(desk.anna, "/reply Since when?", **desk.below(1))
    assert desk.ivan.chat.last.text.endswith("Since when?")
    await desk.say(desk.ivan, "Since Monday")
    assert "Since Monday" in desk.told(1)
    assert len(room.from_bot) == 1


async def test_an_answer_to_what_the_desk_said_goes_on_with_ones_own_ticket(desk: Rig) -> None:
    room = lobby(desk)
    await desk.say(desk.ivan, "@desk_test_bot VPN drops", chat=room)
    await desk.say(desk.ivan, "since Monday", chat=room, reply_to=room.from_bot[0])
    await desk.say(desk.ivan, "thank you!", chat=room, reply_to=room.from_bot[0])
    await desk.say(desk.telegram.users[601], "Thanks", chat=room, reply_to=room.from_bot[0])
    assert await count(desk) == 1
    assert "since Monday" in desk.told(1)
    await desk.say(desk.telegram.users[601], "mine is slow too", chat=room, reply_to=room.from_bot[0])
    assert "Petr" in desk.card(2).text
    assert len(room.from_bot) == 2


@pytest.mark.parametrize("door", ["command", "reaction"])
async def test_a_message_becomes_one_ticket_of_its_author_however_often_it_is_asked(
    desk: Rig, door: str
) -> None:
    room = lobby(desk)
    petr = desk.telegram.users[601]
    trouble = await desk.say(petr, "The printer is on fire", chat=room)
    for _ in range(2):
        if door == "command":
            await desk.say(desk.ivan, "/ticket", chat=room, reply_to=trouble)
        else:
            await desk.react(desk.ivan, trouble, "✍")
            await desk.react(desk.ivan, trouble)
    assert await count(desk) == 1
    assert "Petr" in desk.card(1).text
    assert "The printer is on fire" in desk.card(1).text
    assert [message.text for message in room.from_bot] == [
        desk.word("crowd.made", "en", ticket=1, name="Petr"),
        desk.word("crowd.already", "en", ticket=1),
    ]


@pytest.mark.parametrize("door", ["command", "reaction"])
@pytest.mark.parametrize("words", ["", "The printer is on fire"])
async def test_the_files_of_a_message_come_along_with_words_and_without(
    desk: Rig, door: str, words: str
) -> None:
    room = lobby(desk)
    petr = desk.telegram.users[601]
    trouble = await desk.say(petr, words, chat=room, photo=File("", PIXEL))
    assert desk.telegram.called("getFile") == [], "nobody has asked for it yet"
    if door == "command":
        await desk.say(desk.ivan, "/ticket", chat=room, reply_to=trouble)
    else:
        await desk.react(desk.ivan, trouble, "✍")
    assert await count(desk) == 1
    assert desk.card(1).text.startswith(f"🔵 #1 {words or 'photo.jpg'}\n")
    assert "Petr" in desk.card(1).text
    assert [each.files[0].data for each in desk.thread(1) if each.files] == [PIXEL]
    assert [message.text for message in room.from_bot] == [
        desk.word("crowd.made", "en", ticket=1, name="Petr")
    ]


async def test_a_file_that_cannot_come_along_is_told_and_the_ticket_is_made(desk: Rig) -> None:
    room = lobby(desk)
    made = desk.word("crowd.made", "en", ticket=1, name="Ivan Petrov")
    dump = await desk.say(desk.ivan, "", chat=room, document=File("dump.zip", b"x", size=30_000_000))
    await desk.say(desk.ivan, "/ticket", chat=room, reply_to=dump)
    lost = desk.word("file.not_taken", "en")
    assert [message.text for message in room.from_bot] == [f"{made}\n{lost}"]
    assert "dump.zip" in desk.card(1).text


async def test_what_others_say_among_themselves_is_neither_fetched_nor_remembered(desk: Rig) -> None:
    room = lobby(desk)
    before = await desk.database.read(people_count)
    await desk.say(desk.telegram.users[601], "our cat", chat=room, photo=File("", PIXEL))
    assert desk.telegram.called("getFile") == []
    assert await desk.database.read(people_count) == before


async def people_count(tx: Transaction) -> int:
    return int(await tx.scalar(select(func.count()).select_from(people.persons)))


async def test_who_never_started_the_bot_gets_everything_once_they_do(desk: Rig) -> None:
    room = lobby(desk)
    petr = desk.telegram.users[601]
    await desk.say(petr, "@desk_test_bot my screen is black", chat=room)
    await desk.say(desk.anna, "/reply Is it on?", **desk.below(1))
    assert "never started it" in desk.told(1)
    await petr.start()
    await desk.settle()
    assert any("is with the team" in text for text in petr.chat.texts)
    assert petr.chat.saying("Is it on?")
    assert desk.told(1).count("✅ Delivered") == 1


async def test_a_ticket_of_nothing_is_explained(desk: Rig) -> None:
    room = lobby(desk)
    await desk.say(desk.ivan, "/ticket", chat=room)
    assert room.last.text == desk.word("crowd.no_message", "en")
    await desk.say(desk.ivan, "@desk_test_bot", chat=room)
    assert await count(desk) == 0


async def test_what_is_asked_among_others_is_answered_in_private(desk: Rig) -> None:
    room = lobby(desk)
    await desk.report()
    await desk.say(desk.ivan, "/my@desk_test_bot", chat=room)
    assert "VPN drops" in desk.ivan.chat.last.text
    await desk.say(desk.ivan, "/new@desk_test_bot", chat=room)
    await desk.say(desk.ivan, "The mouse is dead")
    assert "The mouse is dead" not in desk.told(1)
    assert room.from_bot == []
    petr = desk.telegram.users[601]
    await desk.say(petr, "/my@desk_test_bot", chat=room)
    assert [message.text for message in room.from_bot] == [desk.word("crowd.write_me", "en", name="Petr")]


async def test_who_sets_the_desk_up_learns_the_numbers_of_people_and_groups(desk: Rig) -> None:
    room = lobby(desk)
    await desk.say(desk.anna, "/whoami")
    assert desk.anna.chat.last.text == "You are Anna Smirnova, telegram:502."
    await desk.say(desk.anna, "/whoami@desk_test_bot", chat=room)
    assert desk.anna.chat.last.text.endswith(f"\nYou asked in telegram:{LOBBY}.")
    assert room.from_bot == []


# ---- the staff group changes under us


async def test_a_group_that_becomes_a_supergroup_is_followed(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, forum=False, room=OLD) as desk:
        await desk.report()
        old, card = desk.group, desk.card(1)
        assert (card.chat.id, desk.group.kind) == (OLD, "group")
        desk.group = await old.migrate()
        await desk.settle()
        assert desk.maria.chat.last.text == desk.word("trouble.moved", "en", title="Support team")
        menu = (f"chat:{desk.group.id}", "ru")
        await desk.telegram.until(lambda: menu in desk.telegram.commands, what="the menu of the new group")
        # The numbers of messages begin anew: what is said there must meet no ticket by its number.
        for place in range(card.id + 3):
            await desk.say(desk.anna, f"hello {place}", chat=desk.group)
        stranger = desk.group.saying(f"hello {card.id}")
        await desk.say(
            desk.anna, "a word to a colleague", chat=desk.group, reply_to=desk.group.by_id[card.id]
        )
        assert stranger.chat is desk.group
        assert not any("colleague" in message.text for message in desk.ivan.chat.messages)
        assert await notes(desk) == []
        before = len(old.messages)
        await desk.say(desk.ivan, "still broken")
        assert len(old.messages) == before
        assert desk.card(1).chat is desk.group
        assert desk.group.saying("still broken")
        await desk.say(desk.anna, "/take", **desk.answer(desk.card(1)))
        await desk.say(desk.anna, "Since when?", **desk.answer(desk.group.saying("still broken")))
        assert "Anna Smirnova" in desk.card(1).text
        assert desk.ivan.chat.last.text.endswith("Since when?")
        del desk.telegram.commands[menu]
        await desk.restart()
        await desk.telegram.until(lambda: menu in desk.telegram.commands, what="the menu of the new group")
        await desk.say(desk.anna, "/note it is the router", **desk.answer(desk.card(1)))
        await desk.say(desk.ivan, "since Monday")
        assert desk.group.saying("since Monday")
        assert await notes(desk) == ["it is the router"]
        assert len([m for m in desk.group.from_bot if m.text.startswith("🔵 #1")]) == 1


async def test_what_was_said_in_a_moved_group_before_the_end_is_understood_after_it(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, forum=False, room=OLD) as desk:
        await desk.report()
        desk.group = await desk.group.migrate()
        await desk.say(desk.ivan, "still broken")
        await desk.stop()
        await desk.anna.send("/note it is the router", **desk.answer(desk.card(1)))
        await desk.anna.send("/take", **desk.answer(desk.card(1)))
        await desk.kept_unhandled()
        await desk.restart(deaf=True)
        await desk.house.router.catch_up()
        await desk.house.adapters["telegram"].close()  # type: ignore[attr-defined]
        assert await notes(desk) == ["it is the router"]
        assert (await desk.ticket(1)).owner is not None


async def test_who_named_the_desk_before_the_end_is_heard_though_telegram_is_away_at_the_start(
    desk: Rig,
) -> None:
    room = lobby(desk)
    await desk.stop()
    await desk.ivan.send("@desk_test_bot my screen is black", chat=room)
    await desk.kept_unhandled()
    away = desk.telegram.fail("getMe", "502 html", -1)
    await desk.restart()
    await desk.house.router.catch_up()
    assert await count(desk) == 0
    away.times = 1
    await desk.later(timedelta(minutes=1))
    assert desk.card(1).text.startswith("🔵 #1 my screen is black\n")


async def test_a_move_that_is_learnt_from_a_refusal_is_followed_too(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, forum=False, room=OLD) as desk:
        desk.telegram.updates.allow(["callback_query"])  # the message about the move never comes
        old = desk.group
        desk.group = await old.migrate()
        desk.telegram.updates.allow([])
        await desk.report()
        assert desk.card(1).chat is desk.group
        assert [message for message in old.from_bot if message.text] == []


async def test_a_bot_put_out_of_the_group_says_so_and_brings_everything_when_it_is_back(desk: Rig) -> None:
    await desk.report()
    await desk.group.remove_bot(desk.maria)
    await desk.settle()
    assert "I was removed from “Support team”" in desk.maria.chat.last.text
    await desk.say(desk.ivan, "are you there?")
    assert not any("are you there?" in text for text in desk.group.texts)
    await desk.group.add_bot(desk.maria, bot="administrator")
    await desk.settle()
    assert desk.word("trouble.returned", "en", title="Support team") in desk.maria.chat.texts
    assert desk.told(1).count("are you there?") == 1
    assert await desk.database.read(outbox.dead) == []


async def test_a_bot_that_starts_while_it_is_out_of_the_group_hears_everybody_else(desk: Rig) -> None:
    await desk.group.remove_bot(desk.maria)
    await desk.settle()
    await desk.restart()
    await desk.say(desk.ivan, "VPN drops")
    assert "Where are you working from?" in desk.ivan.chat.last.text


async def test_rights_that_are_taken_are_told_and_the_work_goes_on_without_topics(desk: Rig) -> None:
    await desk.group.set_rights(can_manage_topics=False)
    await desk.settle()
    assert "I lost a right I need" in desk.maria.chat.last.text
    await desk.report()
    assert not desk.card(1).in_topic
    await desk.say(desk.anna, "/take", **desk.answer(desk.card(1)))
    assert "took it" in desk.told(1)
    await desk.group.set_rights(can_manage_topics=True)
    await desk.say(desk.ivan, "/new The mouse is dead, a broken mouse")
    for _ in range(8):
        button = next(
            each for each in labels(desk.ivan.chat.last) if each not in ("Back", "Cancel", "Other type")
        )
        await desk.press(desk.ivan, button)
        if await count(desk) == 2:
            break
    assert desk.card(2).in_topic


async def test_a_bot_that_is_silenced_sends_what_waited_once_it_may_speak(desk: Rig) -> None:
    await desk.report()
    await desk.group.set_rights(admin=False, may_send=False)
    await desk.say(desk.ivan, "hello?")
    assert not any("hello?" in text for text in desk.group.texts)
    await desk.group.set_rights(admin=True)
    await desk.settle()
    assert desk.told(1).count("hello?") == 1


async def test_topics_that_are_switched_off_lose_nothing_and_come_back(desk: Rig) -> None:
    await desk.report()
    card = desk.card(1)
    await desk.group.forum_off()
    await desk.say(desk.ivan, "a word without a topic")
    astray = desk.group.saying("a word without a topic")
    assert (astray.in_topic, astray.text.split("\n")[0]) == (False, "#1 · Ivan Petrov")
    assert astray.reply_to is desk.group.by_id[card.thread or 0]
    await desk.say(desk.anna, "Since when?", **desk.answer(astray))
    assert desk.ivan.chat.last.text.endswith("Since when?")
    assert "Owner: Anna Smirnova" in card.text
    await desk.group.forum_on()
    await desk.say(desk.ivan, "and one with it")
    assert desk.group.saying("and one with it").thread == card.thread


async def test_topics_switched_on_are_used_for_the_next_ticket(plain: Rig) -> None:
    await plain.report()
    assert not plain.card(1).in_topic
    await plain.group.forum_on()
    await plain.say(plain.anna, "we have topics now", chat=plain.group)
    await plain.say(plain.ivan, "/new")
    await plain.report("VPN is slow today")
    assert plain.card(2).in_topic
    await plain.say(plain.anna, "/take 1", chat=plain.group)
    assert not plain.card(1).in_topic


async def test_a_topic_that_somebody_deleted_is_made_anew_for_the_card(desk: Rig) -> None:
    await desk.report()
    [topic] = desk.group.topics.values()
    await desk.group.delete_topic(topic)
    await desk.say(desk.ivan, "hello?")
    await desk.say(desk.ivan, "anybody?")
    assert desk.card(1).in_topic
    assert desk.card(1).thread != topic.id
    assert desk.group.saying("anybody?").thread == desk.card(1).thread
    assert desk.group.saying("hello?")


async def test_a_card_that_somebody_deleted_comes_back_in_its_topic(desk: Rig) -> None:
    await desk.report()
    thread = desk.card(1).thread
    desk.card(1).deleted = True
    await desk.say(desk.anna, "/take 1", chat=desk.group)
    assert desk.card(1).thread == thread
    assert len(desk.group.topics) == 1
    assert "Anna Smirnova" in desk.card(1).text


# ---- presses


async def test_a_press_of_whom_it_is_not_for_is_answered_in_the_little_window(desk: Rig) -> None:
    await desk.report()
    petr = desk.telegram.user(601, "Petr", language_code="ru")
    await petr.join(desk.group)
    before = len(desk.group.messages)
    await petr.press(desk.card(1), "Take it")
    await desk.settle()
    [answer] = [press for press in desk.telegram.answers if press.user is petr]
    assert answer.show_alert
    assert answer.text == desk.word("ticket.unknown", "ru", ticket=1)
    assert len(desk.group.messages) == before
    assert (await desk.ticket(1)).owner is None


async def test_a_stale_button_and_a_button_pressed_twice_change_nothing_and_stop_the_spinner(
    desk: Rig,
) -> None:
    await desk.say(desk.ivan, "VPN drops")
    first = desk.ivan.chat.last
    data = first.button("The office")["callback_data"]
    await desk.ivan.press(first, "The office")
    await desk.ivan.press(first, data, stale=True)
    await desk.settle()
    assert desk.word("press.stale", "en") in desk.ivan.chat.texts
    assert [text for text in desk.ivan.chat.texts if "Who is affected?" in text] == ["Who is affected?"]
    for made_up in ("t.take.999999", "d.1.2", "nonsense", "m.x.1", "r.rate.1.9", "f.pass.x", "t.undo.1.1"):
        await desk.ivan.press(first, made_up, stale=True)
        await desk.settle()
    assert all(press.answered for press in desk.telegram.presses.values())
    assert await count(desk) == 0


async def test_a_press_that_waited_too_long_is_answered_in_private(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "/take 1", chat=desk.group)
    desk.telegram.fail("answerCallbackQuery", "400", text="Bad Request: query is too old", times=2)
    before = len(desk.group.messages)
    await desk.boris.press(desk.card(1), "t.take.1", stale=True)
    await desk.settle()
    assert "Anna Smirnova took #1" in desk.boris.chat.last.text
    assert len(desk.group.messages) == before


# ---- commands and links


async def test_commands_stand_in_the_menus_of_each_scope_and_language(desk: Rig) -> None:
    registered = desk.telegram.commands
    await desk.telegram.until(lambda: len(registered) == 6)
    assert set(registered) == {
        (scope, language)
        for scope in ("all_private_chats", f"chat:{GROUP}", "all_group_chats")
        for language in ("", "ru")
    }
    private, staff = registered["all_private_chats", ""], registered[f"chat:{GROUP}", ""]
    assert [each["command"] for each in private] == [
        each.name for each in commands.COMMANDS if not each.staff and each.name != "emergency"
    ]
    assert {each["command"] for each in staff} > {each["command"] for each in private} | {"take", "reply"}
    assert {each["command"] for each in registered["all_group_chats", ""]} == {"ticket"}
    russian = {each["command"]: each["description"] for each in registered[f"chat:{GROUP}", "ru"]}
    assert russian["take"] == desk.word("command.take", "ru")
    assert all(1 <= len(each["description"]) <= 256 for menu in registered.values() for each in menu)


@pytest.mark.parametrize("kind", ["429", "late"])
async def test_menus_that_cannot_be_registered_keep_nobody_waiting(desk: Rig, kind: Kind) -> None:
    desk.telegram.fail("setMyCommands", kind, times=-1, retry_after=300)
    await desk.restart()
    await desk.say(desk.ivan, "VPN drops")
    assert "Where are you working from?" in desk.ivan.chat.last.text
    desk.telegram.heal()


async def test_links_open_a_form_or_show_a_ticket(desk: Rig) -> None:
    await desk.ivan.start("type-network")
    await desk.settle()
    assert desk.word("intake.ask_describe", "en") in desk.ivan.chat.texts
    await desk.say(desk.ivan, "It is slow")
    assert "Where are you working from?" in desk.ivan.chat.last.text
    for label in ("Home", "Only me", "Skip", "It can wait", "Send"):
        await desk.press(desk.ivan, label)
    await desk.ivan.start("ticket-1")
    await desk.settle()
    assert "#1 It is slow" in desk.ivan.chat.last.text
    await desk.boris.start("type-nonsense")
    await desk.settle()
    assert desk.boris.chat.last.text.startswith("Hello!")
    await desk.telegram.user(601, "Petr").start("ticket-1")
    await desk.settle()
    assert "It is slow" not in "".join(desk.telegram.users[601].chat.texts)


# ---- doctor


async def findings(
    tmp_path: Path, telegram: Telegram, *, more: str = "", spaces: str = ""
) -> dict[str, bool]:
    """What `deskbridge doctor` finds, by the key of the sentence."""
    words = rigs.words_of(telegram.url, more)
    if spaces:
        words = words.replace(f'spaces = ["telegram:{GROUP}"]', f"spaces = {spaces}")
    file = tmp_path / "config.toml"
    file.write_text(words, encoding="utf-8")
    path = tmp_path / "doctor.db"
    settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
    lock = databases.prepared(path)
    database = Database(databases.place(path), HandClock())
    try:
        await main.build(settings, database, HandClock()).desk.open()
        found = [finding async for finding in doctor.examine(settings, database)]
    finally:
        await database.close()
        lock.release()
    told = [
        i18n.word(each.text, language, time_zone="UTC", now=HandClock().now())
        for each in found
        for language in ("en", "ru")
    ]
    assert not any("{" in words for words in told)
    return {each.text.key.removeprefix("doctor."): each.ok for each in found}  # type: ignore[union-attr]


def town_of(telegram: Telegram) -> Group:
    people = [telegram.user(number, str(number), started=True) for number in (ANNA, BORIS, MARIA)]
    return telegram.group(GROUP, "Support team", forum=True, members=people)


RIGHT = {
    "telegram_me",
    "telegram_open",
    "telegram_polling",
    "telegram_topics",
    "telegram_admin",
    "telegram_heard",
}


async def test_doctor_finds_nothing_wrong_where_the_page_was_followed(tmp_path: Path) -> None:
    async with Telegram(privacy=False) as telegram:
        town_of(telegram)
        found = await findings(tmp_path, telegram)
    assert all(found.values()), found
    assert {key for key in found if key.startswith("telegram")} == RIGHT


@pytest.mark.parametrize(
    ("trouble", "key"),
    [
        ("a wrong token", "telegram_token"),
        ("the server is away", "telegram_away"),
        ("privacy mode", "telegram_privacy"),
        ("a webhook is set", "telegram_polling_taken"),
        ("the bot is not in the group", "telegram_not_there"),
        ("the bot is no administrator", "telegram_not_admin"),
        ("it may not manage topics", "telegram_right_topics"),
        ("it may not delete", "telegram_right_delete"),
        ("it may not speak", "telegram_mute"),
        ("no group", "telegram_no_group"),
        ("an agent never started it", "telegram_not_started"),
        ("an agent is an anonymous administrator", "telegram_anonymous"),
    ],
)
async def test_doctor_finds_each_thing_that_is_missing(tmp_path: Path, trouble: str, key: str) -> None:
    async with Telegram(privacy=trouble == "privacy mode") as telegram:
        group = town_of(telegram)
        match trouble:
            case "a wrong token":
                telegram.revoke_token()
            case "the server is away":
                telegram.fail("*", "502 html", times=-1)
            case "a webhook is set":
                telegram.webhook.url = "https://example.org/elsewhere"
            case "the bot is not in the group":
                group.bot = "kicked"
            case "the bot is no administrator":
                group.bot = "member"
            case "it may not manage topics":
                group.rights["can_manage_topics"] = False
            case "it may not delete":
                group.rights["can_delete_messages"] = False
            case "it may not speak":
                group.bot, group.may_send = "restricted", False
            case "an agent is an anonymous administrator":
                group.admins[BORIS] = telegram.users[BORIS]
                group.anonymous.add(BORIS)
            case "an agent never started it":
                telegram.users[BORIS].started = False
        found = await findings(tmp_path, telegram, spaces='["web:support"]' if trouble == "no group" else "")
    wrong = {name for name, ok in found.items() if not ok}
    assert key in wrong
    assert len(wrong) <= 2, wrong


@pytest.mark.parametrize(
    ("now", "key", "right"),
    [
        ("", "telegram_webhook_later", True),
        ("https://desk.example.org/telegram/webhook", "telegram_webhook", True),
        ("https://example.org/elsewhere", "telegram_webhook_taken", False),
        ("https://desk.example.org/elsewhere", "telegram_webhook_taken", False),
    ],
)
async def test_doctor_knows_where_the_webhook_leads(tmp_path: Path, now: str, key: str, right: bool) -> None:
    own = '[web]\npublic_url = "https://desk.example.org"'
    more = f'mode = "webhook"\nwebhook_secret = "a-secret-of-thirty-two-characters"\n{own}'
    async with Telegram(privacy=False) as telegram:
        town_of(telegram)
        telegram.webhook.url = now
        found = await findings(tmp_path, telegram, more=more)
        telegram.webhook.url = ""
    assert found[key] is right
    assert all(ok for name, ok in found.items() if name != key)


async def test_doctor_finds_a_group_without_topics_good_enough(tmp_path: Path) -> None:
    async with Telegram(privacy=False) as telegram:
        town_of(telegram).forum = False
        found = await findings(tmp_path, telegram)
    assert found["telegram_no_topics"]
    assert all(found.values())


# ---- what was scheduled

SCHEDULED = {"is_from_offline": True}


async def test_a_note_and_a_reply_that_were_scheduled_in_the_staff_group_are_taken(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "call the vendor first", body=SCHEDULED, **desk.below(1))
    await desk.say(desk.anna, "/reply 1 I come at three", body=SCHEDULED, chat=desk.group)
    assert await notes(desk) == ["call the vendor first"]
    assert desk.ivan.chat.last.text.endswith("I come at three")


async def test_an_away_message_of_an_agent_fills_in_no_form_and_is_kept(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "/start")
    await desk.say(desk.anna, "/find VPN")
    await desk.press(desk.anna, "#1")
    await desk.press(desk.anna, desk.word("button.reply", "en"))
    before = len(desk.ivan.chat.messages)
    await desk.say(desk.anna, "I am on holiday", body=SCHEDULED)
    assert len(desk.ivan.chat.messages) == before
    said = await desk.database.read(lambda tx: tickets.messages_of(tx, TicketId(2)))
    assert [each.text for each in said] == ["I am on holiday"]
