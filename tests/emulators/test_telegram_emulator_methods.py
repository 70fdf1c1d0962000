"""What the emulated Telegram's methods do, what they refuse, and what people then see."""

import json
from typing import Any

import pytest

from tests.emulators.conftest import Client
from tests.emulators.telegram import PIXEL, File, Telegram
from tests.emulators.telegram.topics import icon_id

TAKE = {"inline_keyboard": [[{"text": "Take", "callback_data": "t1"}]]}


async def test_a_card_is_shown_pressed_answered_edited_and_deleted(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, "Ann", language_code="ru", started=True)
    sent = await bot.get(
        "sendMessage", chat_id=1001, text="<b>card</b>", parse_mode="HTML", reply_markup=TAKE
    )
    card = await ann.chat.sees("card")
    assert (card.marked("bold"), card.buttons) == (["card"], ["Take"])
    press = await ann.press(card, "Take")
    query = (await bot.updates())[-1]["callback_query"]
    assert (query["data"], query["from"]["language_code"], query["message"]["text"]) == ("t1", "ru", "card")
    await bot.get("answerCallbackQuery", callback_query_id=query["id"], text="Taken", show_alert=True)
    assert (press.answered, press.text, press.show_alert, telegram.answers) == (True, "Taken", True, [press])
    assert (await bot.refusal("answerCallbackQuery", callback_query_id="1")).startswith(
        "400 Bad Request: query"
    )
    where = {"chat_id": 1001, "message_id": sent["message_id"]}
    await bot.get("editMessageText", **where, text="taken")
    assert (card.text, card.edits, card.buttons) == ("taken", ["card"], [])
    words = await bot.refusal("editMessageText", **where, text="taken")
    assert words.startswith("400 Bad Request: message is not modified: specified new message content")
    await bot.get("editMessageReplyMarkup", **where, reply_markup=TAKE)
    await bot.get("deleteMessage", **where)
    assert (card.deleted, ann.messages) == (True, [])
    assert (
        await bot.refusal("editMessageText", **where, text="x")
        == "400 Bad Request: message to edit not found"
    )
    assert await bot.refusal("deleteMessage", **where) == "400 Bad Request: message to delete not found"
    await ann.press(card, "t1", stale=True)
    inaccessible = (await bot.updates())[-1]["callback_query"]["message"]
    assert (inaccessible["date"], set(inaccessible)) == (0, {"chat", "message_id", "date"})


async def test_whom_the_bot_cannot_reach(telegram: Telegram, bot: Client) -> None:
    async def words(chat: int) -> str:
        return await bot.refusal("sendMessage", chat_id=chat, text="hi")

    ann, group = telegram.user(1001), telegram.group(-1001, members=[telegram.user(1001)])
    assert await words(1001) == await words(-5) == "400 Bad Request: chat not found"
    await ann.send("hello all", chat=group)
    assert await words(1001) == "403 Forbidden: bot can't initiate conversation with a user"
    await ann.start()
    await ann.block_bot()
    assert await words(1001) == "403 Forbidden: bot was blocked by the user"
    assert (await bot.updates())[-1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await ann.unblock_bot()
    await bot.get("sendMessage", chat_id="1001", text="hi")
    ann.deactivate()
    assert await words(1001) == "403 Forbidden: user is deactivated"
    await group.set_rights(admin=False, may_send=False)
    assert await words(-1001) == "400 Bad Request: not enough rights to send text messages to the chat"
    await group.remove_bot()
    assert await words(-1001) == "403 Forbidden: bot was kicked from the supergroup chat"
    assert (await bot.updates())[-1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_a_basic_group_moves_and_its_old_number_names_the_new_one(
    telegram: Telegram, bot: Client
) -> None:
    old = telegram.group(-500, "Lunch", members=[telegram.user(1001)])
    await bot.get("sendMessage", chat_id=-500, text="hi")
    new = await old.migrate()
    told = await bot.call("sendMessage", chat_id=-500, text="hi")
    assert told["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert told["parameters"] == {"migrate_to_chat_id": new.id}
    await bot.get("sendMessage", chat_id=new.id, text="hi again")
    services = [one["message"] for one in await bot.updates()]
    assert [services[0]["migrate_to_chat_id"], services[1]["migrate_from_chat_id"]] == [new.id, -500]


async def test_topics_from_opening_to_deleting(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001)
    agents = telegram.group(-1001, "Agents", forum=True, members=[ann])
    made = await bot.get(
        "createForumTopic", chat_id=-1001, name="#42 Printer", icon_custom_emoji_id=icon_id("📝")
    )
    topic = agents.topics[made["message_thread_id"]]
    where = {"chat_id": -1001, "message_thread_id": topic.id}
    card = await bot.get("sendMessage", **where, text="card")
    assert (card["is_topic_message"], card["message_thread_id"]) == (True, topic.id)
    asked = await ann.send("on it", chat=agents, thread=topic.id)
    update = (await bot.updates())[-1]["message"]
    assert "forum_topic_created" in update["reply_to_message"]
    answer = await bot.get("sendMessage", chat_id=-1001, text="ok", reply_parameters={"message_id": asked.id})
    assert answer["message_thread_id"] == topic.id
    assert [one.text for one in agents.in_topic(topic)] == ["card", "on it", "ok"]
    await bot.get("editForumTopic", **where, name="#42 done")
    assert (
        await bot.refusal("editForumTopic", **where, name="#42 done") == "400 Bad Request: TOPIC_NOT_MODIFIED"
    )
    await bot.get("closeForumTopic", **where)
    assert (topic.closed, topic.name) == (True, "#42 done")
    assert await bot.refusal("closeForumTopic", **where) == "400 Bad Request: TOPIC_NOT_MODIFIED"
    own = [set(one["message"]) & telegram.SERVICE for one in await bot.updates()]
    assert [kind for kinds in own for kind in kinds] == [
        "forum_topic_created",
        "forum_topic_edited",
        "forum_topic_closed",
    ]
    theirs = await agents.create_topic("theirs")
    await agents.close_topic(theirs)
    await agents.set_rights(can_manage_topics=False)
    closed = {"chat_id": -1001, "message_thread_id": theirs.id}
    assert await bot.refusal("sendMessage", **closed, text="x") == "400 Bad Request: TOPIC_CLOSED"
    assert (await bot.refusal("reopenForumTopic", **closed)).endswith(
        "not enough rights to close or open the topic"
    )
    assert (await bot.refusal("createForumTopic", chat_id=-1001, name="x")).endswith(
        "not enough rights to create a topic"
    )
    await agents.delete_topic(topic)
    assert await bot.refusal("sendMessage", **where, text="x") == "400 Bad Request: message thread not found"
    assert await bot.refusal("closeForumTopic", **where) == "400 Bad Request: TOPIC_ID_INVALID"
    await agents.forum_off()
    assert await bot.refusal("sendMessage", **closed, text="x") == "400 Bad Request: message thread not found"
    assert (
        await bot.refusal("createForumTopic", chat_id=-1001, name="x")
        == "400 Bad Request: the chat is not a forum"
    )


async def test_privacy_mode_hides_what_is_not_for_the_bot(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001)
    group = telegram.group(-1001, members=[ann], bot="member")
    mine = await bot.get("sendMessage", chat_id=-1001, text="I am here")
    await ann.send("just talking", chat=group)
    await ann.send("/ticket now", chat=group)
    await ann.send("/ticket@desk_test_bot now", chat=group)
    await ann.send("/weather@other_bot", chat=group)
    await ann.send("hello @desk_test_bot", chat=group)
    await ann.send("to you", chat=group, reply_to=group.find(mine["message_id"]))
    await ann.react(group.last, "👀")
    heard = [
        one["message"]["text"] for one in await bot.updates(allowed_updates=["message", "message_reaction"])
    ]
    assert heard == ["/ticket now", "/ticket@desk_test_bot now", "hello @desk_test_bot", "to you"]
    await group.set_rights(can_manage_topics=True)
    await ann.send("now you hear me", chat=group)
    await ann.react(group.last, "👀")
    last = (await bot.updates())[-1]["message_reaction"]
    assert last["new_reaction"] == [{"type": "emoji", "emoji": "👀"}]
    await ann.send("be quiet", chat=group, anonymous=True)
    hidden = (await bot.updates())[-1]["message"]
    assert (hidden["from"]["username"], hidden["sender_chat"]["id"]) == ("GroupAnonymousBot", -1001)


async def test_files_both_ways_with_their_limits(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001)
    sent = await ann.send("the log", document=File("journal.log", b"all is well"))
    document = (await bot.updates())[0]["message"]["document"]
    assert document["file_name"] == "journal.log"
    path = (await bot.get("getFile", file_id=document["file_id"]))["file_path"]
    async with bot.session.get(f"{telegram.url}/file/bot{telegram.token}/{path}") as response:
        assert await response.read() == b"all is well"
    huge = await ann.send(document=File("dump.zip", size=30 * 2**20))
    words = await bot.refusal("getFile", file_id=huge.files[0].file_id)
    assert words == "400 Bad Request: file is too big"
    sent.files[0].gone = True
    assert (await bot.refusal("getFile", file_id=document["file_id"])).startswith(
        "400 Bad Request: wrong file_id"
    )
    told = await bot.upload("sendPhoto", "photo", PIXEL, "a.png", chat_id="1001", caption="look")
    assert [size["width"] for size in told["result"]["photo"]] == [90, 1280]
    assert (ann.chat.last.kind, ann.chat.last.text, ann.chat.last.bytes) == ("photo", "look", PIXEL)
    told = await bot.upload("sendPhoto", "photo", b"no picture", chat_id="1001")
    assert told["description"] == "Bad Request: IMAGE_PROCESS_FAILED"
    again = await bot.call("sendVoice", chat_id=1001, voice=ann.chat.last.files[0].file_id)
    assert again["ok"]
    told = await bot.upload("sendDocument", "document", b"x" * (50 * 2**20 + 1), chat_id="1001")
    assert told == {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}


async def test_albums_come_one_by_one_and_go_together(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001)
    await ann.send_album([PIXEL, PIXEL, PIXEL], "three")
    parts = [one["message"] for one in await bot.updates()]
    assert len({part["media_group_id"] for part in parts}) == 1
    assert [part.get("caption") for part in parts] == ["three", None, None]
    media: list[dict[str, Any]] = [{"type": "document", "media": "attach://one"}]
    media.append({"type": "document", "media": (await ann.send(document=b"two")).files[0].file_id})
    told = await bot.upload("sendMediaGroup", "one", b"one", chat_id="1001", media=json.dumps(media))
    assert [one["media_group_id"] for one in told["result"]] == [told["result"][0]["media_group_id"]] * 2
    assert [message.bytes for message in ann.messages[-2:]] == [b"one", b"two"]
    mixed = [{"type": "document", "media": "x"}, {"type": "photo", "media": "y"}]
    words = await bot.refusal("sendMediaGroup", chat_id=1001, media=mixed)
    assert words == "400 Bad Request: Can't use the media of the specified type in the album"


@pytest.mark.parametrize(
    ("button", "complaint"),
    [
        ({"text": "x", "callback_data": "я" * 33}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""}, "BUTTON_DATA_INVALID"),
        (
            {"text": "x"},
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        ),
        ({"text": "x", "url": "http://localhost:8080"}, "inline keyboard button URL"),
    ],
)
async def test_buttons_that_cannot_be(
    telegram: Telegram, bot: Client, button: dict[str, str], complaint: str
) -> None:
    telegram.user(1001, started=True)
    markup = {"inline_keyboard": [[button]]}
    words = await bot.refusal("sendMessage", chat_id=1001, text="x", reply_markup=markup)
    assert words.startswith(f"400 Bad Request: {complaint}")


async def test_replies_forwards_reactions_commands_and_members(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, started=True)
    group = telegram.group(
        -1001, members=[ann], admins=[telegram.user(1002)], forum=True, can_pin_messages=False
    )
    words = await bot.refusal("sendMessage", chat_id=1001, text="x", reply_parameters={"message_id": 99})
    assert words == "400 Bad Request: message to be replied not found"
    lax = {"message_id": 99, "allow_sending_without_reply": True}
    await bot.get("sendMessage", chat_id=1001, text="x", reply_parameters=lax)
    asked = await ann.send("help me please")
    quoting = {"message_id": asked.id, "quote": "help"}
    await bot.get("sendMessage", chat_id=1001, text="ok", reply_parameters=quoting)
    assert (ann.chat.last.reply_to, ann.chat.last.quote) == (asked, "help")
    where = {"chat_id": 1001, "message_id": asked.id}
    assert await bot.refusal("setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "✅"}]) == (
        "400 Bad Request: REACTION_INVALID"
    )
    await bot.get("setMessageReaction", **where, reaction=[{"type": "emoji", "emoji": "👀"}])
    assert asked.emojis == ["👀"]
    copied = await bot.get("copyMessage", chat_id=-1001, from_chat_id=1001, message_id=asked.id)
    assert group.by_id[copied["message_id"]].text == "help me please"
    forwarded = await bot.get("forwardMessage", chat_id=-1001, from_chat_id=1001, message_id=asked.id)
    assert forwarded["forward_origin"]["sender_user"]["id"] == 1001
    assert (await bot.refusal("pinChatMessage", chat_id=-1001, message_id=1)).endswith(
        "pinned messages in the chat"
    )
    await bot.get("sendChatAction", chat_id=1001, action="typing")
    assert [one.action for one in ann.chat.actions] == ["typing"]
    commands = [{"command": "new", "description": "New request"}]
    scope = {"type": "all_private_chats"}
    await bot.get("setMyCommands", commands=commands, scope=scope, language_code="ru")
    assert telegram.commands == {("all_private_chats", "ru"): commands}
    assert await bot.get("getMyCommands", scope=scope) == []
    admins = await bot.get("getChatAdministrators", chat_id=-1001)
    assert [(one["user"]["id"], one["status"]) for one in admins] == [
        (1002, "administrator"),
        (telegram.bot.id, "administrator"),
    ]
    assert (await bot.get("getChatMember", chat_id=-1001, user_id=1001))["status"] == "member"
    assert (await bot.get("getChat", chat_id=-1001))["is_forum"]
    await bot.get("leaveChat", chat_id=-1001)
    assert (await bot.refusal("sendMessage", chat_id=-1001, text="x")).startswith(
        "403 Forbidden: bot is not a member"
    )


async def test_numbers_repeat_between_supergroups_and_private_chats(telegram: Telegram, bot: Client) -> None:
    for chat in (
        telegram.user(1, started=True).chat,
        telegram.user(2, started=True).chat,
        telegram.group(-1001),
    ):
        await bot.get("sendMessage", chat_id=chat.id, text="x")
    assert [telegram.chat(number).last.id for number in (1, 2, -1001)] == [1, 2, 1]
