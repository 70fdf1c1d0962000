"""The emulated Telegram and the samples, checked by two models of the Bot API made apart from each other.

Development only: it needs aiogram, in an environment of its own, and is skipped where that is not there.

    python -m venv drift
    drift/bin/pip install aiogram python-telegram-bot aiohttp pytest pytest-asyncio
    drift/bin/python -m pytest --noconftest -c /dev/null --rootdir=. -o asyncio_mode=auto \\
        -p no:cacheprovider tests/emulators/test_drift.py
"""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.emulators.telegram import PIXEL, File, Telegram

aiogram = pytest.importorskip("aiogram.types")
ptb = pytest.importorskip("telegram")

SAMPLES = Path(__file__).parents[1] / "payloads" / "telegram"
LEGACY = {
    "all_members_are_administrators",
    "new_chat_participant",
    "new_chat_member",
    "left_chat_participant",
}
LEGACY |= {"telepathy", "hologram", "correct_option_id"}
"""What Telegram sends though the documentation does not name it (any more), and what we made up."""


def strange(model: Any, path: str = "") -> list[str]:
    """Fields aiogram does not know, wherever they are: misspelt, or gone."""
    if isinstance(model, list | tuple):
        return [found for one in model for found in strange(one, path)]
    if not hasattr(model, "model_fields_set"):
        return []
    found = [f"{path}.{name}" for name in (model.model_extra or {}) if name not in LEGACY]
    for name in model.model_fields_set & set(type(model).model_fields):
        found += strange(getattr(model, name), f"{path}.{name}")
    return found


def check(update: dict[str, Any]) -> None:
    parsed = aiogram.Update.model_validate(update)
    assert strange(parsed) == []
    read = ptb.Update.de_json(copy.deepcopy(update), None)
    assert read.update_id == update["update_id"]
    kinds = set(update) - {"update_id", "telepathy"}
    assert all(getattr(read, kind, None) is not None for kind in kinds & set(ptb.Update.ALL_TYPES))


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_both_models_take_the_sample(sample: Path) -> None:
    check(json.loads(sample.read_text()))


@pytest.mark.parametrize("sample", sorted((SAMPLES / "broken").glob("*.json")), ids=lambda path: path.stem)
def test_the_strict_model_refuses_the_broken_sample(sample: Path) -> None:
    with pytest.raises(ValueError, match="validation error"):
        aiogram.Update.model_validate(json.loads(sample.read_text()))


KINDS = ["message", "edited_message", "callback_query", "my_chat_member", "chat_member", "message_reaction"]


async def town(telegram: Telegram) -> None:
    """Everything people can do."""
    telegram.updates.allow(KINDS)
    ann = telegram.user(1001, "Ann", language_code="ru", username="ann_p")
    bob = telegram.user(1002, "Bob")
    forum = telegram.group(-1001, "Agents", forum=True, members=[ann], owner=bob)
    lunch = telegram.group(-500, "Lunch", members=[ann])
    said = await ann.start("vpn")
    for kind in ("photo", "document", "voice", "video", "video_note", "audio", "animation", "sticker"):
        attached: dict[str, Any] = {kind: File("a.bin", PIXEL)}
        await ann.send("" if kind in ("video_note", "sticker") else "words", **attached)
    await ann.send(location=(55.7, 37.6))
    await ann.send(contact="+79990000001")
    await ann.send(poll=("Lunch?", ["yes", "no"]))
    await ann.send(dice="🎲")
    await ann.send_album([PIXEL, PIXEL], "album")
    for whom in (bob, forum, "Somebody"):
        await ann.send("look", forward_from=whom)
    await ann.send("that", reply_to=said, quote="/start")
    await ann.edit(said, "changed https://a.example")
    await ann.react(said, "👀", custom="5310000000000000001")
    topic = await forum.create_topic("Printer", icon="5310000000000000000")
    await ann.send("in topic", chat=forum, thread=topic.id)
    await ann.send("hidden", chat=forum, anonymous=True)
    for act in (forum.close_topic, forum.reopen_topic):
        await act(topic)
    await forum.rename_topic(topic, "Fire")
    await ann.react(forum.last, "👍")
    await bob.join(forum)
    await bob.leave(forum)
    await forum.promote(ann)
    await forum.set_rights(can_manage_topics=False)
    await forum.set_rights(admin=False, may_send=False)
    await forum.remove_bot()
    await (await lunch.migrate()).add_bot()
    await ann.block_bot()
    await ann.unblock_bot()


async def test_every_update_of_the_emulator_is_what_both_models_know() -> None:
    telegram = Telegram(privacy=False)
    await town(telegram)
    assert {update.kind for update in telegram.updates.told} == {*KINDS} - {"callback_query"}
    for update in telegram.updates.told:
        check(json.loads(json.dumps(update.json())))


async def test_every_answer_of_the_emulator_is_what_both_clients_read() -> None:
    async with Telegram(privacy=False) as telegram:
        ann = telegram.user(1001, "Ann", started=True)
        forum = telegram.group(-1001, "Agents", forum=True, members=[ann], owner=telegram.user(1002))
        bot = ptb.Bot(
            telegram.token, base_url=f"{telegram.url}/bot", base_file_url=f"{telegram.url}/file/bot"
        )
        async with bot:
            button = ptb.InlineKeyboardButton("Take", callback_data="t1")
            card = await bot.send_message(1001, "card", reply_markup=ptb.InlineKeyboardMarkup([[button]]))
            await ann.press(ann.chat.last, "Take")
            (update,) = await bot.get_updates(timeout=1)
            check(json.loads(json.dumps(telegram.updates.told[-1].json())))
            await update.callback_query.answer("ok")
            await card.edit_text("taken")
            topic = await bot.create_forum_topic(forum.id, "Printer")
            where = {"chat_id": forum.id, "message_thread_id": topic.message_thread_id}
            for send in (
                bot.send_photo,
                bot.send_document,
                bot.send_voice,
                bot.send_video,
                bot.send_animation,
            ):
                sent = await send(where["chat_id"], PIXEL, message_thread_id=where["message_thread_id"])
                file = (
                    await (sent.effective_attachment or sent.document)[-1].get_file() if sent.photo else None
                )
                assert file is None or bytes(await file.download_as_bytearray()) == PIXEL
            await bot.send_media_group(1001, [ptb.InputMediaDocument(b"one"), ptb.InputMediaDocument(b"two")])
            assert (await bot.get_chat(forum.id)).is_forum
            assert len(await bot.get_chat_administrators(forum.id)) == 2
            assert await bot.get_forum_topic_icon_stickers()
            await bot.set_webhook(f"{telegram.url}/away")
            assert (await bot.get_webhook_info()).url
        kinds = {"sendmessage", "sendphoto", "senddocument", "sendvoice", "sendvideo", "sendanimation"}
        for call in telegram.calls:
            if call.method in kinds:
                assert strange(aiogram.Message.model_validate(json.loads(json.dumps(call.result)))) == []
        assert strange(aiogram.ChatFullInfo.model_validate(telegram.called("getChat")[0].result)) == []
