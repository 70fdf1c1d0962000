"""What people do on the page reaches the transcript and the inbox, once, and only where they may."""

import pytest

from bot import incoming
from bot.message import Choice, Message, Paragraph, Plain, Words, say
from core.kernel.ids import Address
from tests.web.rig import Rig

CARD = Message((Paragraph(Plain("card")),), ((Choice("take:1", Plain("Take it")),),), tone="card", ticket=1)


async def test_what_is_said_is_in_the_transcript_and_in_the_inbox(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    assert await ivan.say("VPN drops") == (200, {})
    [shown] = await ivan.seen()
    assert shown["mine"]
    assert shown["author"] == {"name": "Ivan", "desk": False}
    assert shown["blocks"] == [{"kind": "paragraph", "style": "normal", "text": "VPN drops"}]
    [event] = await rig.inbox()
    assert event["lane"] == "web/web/web:u-ivan"
    what = rig.adapter.read(event)
    assert what is not None
    assert what.private
    assert what.where == Address("web", "u-ivan")
    assert what.what == incoming.Said("VPN drops", str(shown["id"]))
    assert what.sender.name == "Ivan"


async def test_the_same_key_counts_once(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    card = await rig.post("u-ivan", CARD, nonce="1")
    for _ in range(3):
        assert await ivan.say("once", key="key-say-1") == (200, {})
        press = {"key": "key-press-1", "room": "u-ivan", "message": card, "code": "take:1"}
        assert await ivan.post("press", press) == (200, {})
    assert [event["kind"] for event in await rig.inbox()] == ["said", "pressed"]
    assert len(await ivan.seen()) == 2


async def test_one_persons_key_does_not_use_up_anothers(rig: Rig) -> None:
    ivan, maria = await rig.browser("ivan"), await rig.browser("maria")
    await ivan.say("mine", key="the-same-key")
    await maria.say("mine too", key="the-same-key")
    assert [event["identity"] for event in await rig.inbox()] == ["web:ivan", "web:maria"]


async def test_a_requester_speaks_in_their_own_room_alone(rig: Rig) -> None:
    ivan, maria = await rig.browser("ivan"), await rig.browser("maria")
    card = await rig.post("support", CARD, nonce="1")
    theirs = await rig.post("u-maria", say(Plain("for Maria")), nonce="2")
    unknown = await ivan.say("hello", room="nowhere")
    assert unknown[0] == 404
    assert await ivan.say("hello", room="u-maria") == unknown
    assert await ivan.say("hello", room="support") == unknown
    assert await ivan.say("hello", thread=card) == unknown
    assert await ivan.say("hello", reply_to=theirs) == unknown
    for room, message in (("support", card), ("u-maria", theirs), ("u-ivan", theirs), ("u-ivan", 999)):
        assert await ivan.post("press", {"room": room, "message": message, "code": "x"}) == unknown
        assert await ivan.post("edit", {"room": room, "message": message, "text": "x"}) == unknown
        assert await ivan.post("submit", {"room": room, "thread": 999, "code": "x", "values": {}}) == unknown
    assert await rig.inbox() == []
    assert await ivan.seen() == []
    assert len(await maria.seen()) == 1


async def test_staff_speak_in_the_thread_of_a_card_and_press_it_in_the_same_lane(rig: Rig) -> None:
    anna = await rig.browser("anna")
    card = await rig.post("support", CARD, nonce="1")
    inside = await rig.post("support", say(Plain("event")), thread=card, nonce="2")
    assert (await anna.say("looking", room="support", thread=card))[0] == 200
    assert (await anna.say("wrong root", room="support", thread=inside))[0] == 404
    await anna.post("press", {"room": "support", "message": card, "code": "take:1"})
    await anna.post("submit", {"room": "support", "thread": card, "code": "note:1", "values": {"text": "hm"}})
    events = await rig.inbox()
    assert {event["lane"] for event in events} == {f"web/web/web:support#{card}"}
    whats = [found.what for event in events if (found := rig.adapter.read(event))]
    assert whats[1:] == [
        incoming.Pressed("take:1", str(card)),
        incoming.Submitted("note:1", (("text", "hm"),)),
    ]


async def test_what_is_for_one_person_is_seen_and_pressed_by_nobody_else(rig: Rig) -> None:
    anna, boris = await rig.browser("anna"), await rig.browser("boris")
    secret = await rig.post("support", CARD, only="boris", nonce="1")
    assert await anna.seen() == []
    [shown] = await boris.seen()
    assert shown["only"]
    press = {"room": "support", "message": secret, "code": "take:1"}
    assert (await anna.post("press", press))[0] == 404
    assert (await anna.say("reply", room="support", reply_to=secret))[0] == 404
    assert (await anna.say("thread", room="support", thread=secret))[0] == 404
    assert (await boris.post("press", press))[0] == 200


async def test_people_change_their_own_words_and_nobody_elses(rig: Rig) -> None:
    anna, boris = await rig.browser("anna"), await rig.browser("boris")
    await anna.say("frist", room="support")
    [said] = await anna.seen()
    edit = {"room": "support", "message": said["id"], "text": "first"}
    assert (await boris.post("edit", edit))[0] == 404
    assert await anna.post("edit", edit) == (200, {})
    [shown] = await boris.seen()
    assert shown["blocks"][0]["text"] == "first"
    assert shown["edited"]
    assert not shown["mine"]
    found = rig.adapter.read((await rig.inbox())[-1])
    assert found is not None
    assert found.what == incoming.Edited("first", str(said["id"]))


async def test_everything_is_worded_anew_in_another_language(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    await rig.post("u-ivan", say(Words("web.room.direct")), nonce="1")
    assert (await ivan.seen())[0]["blocks"][0]["text"] == "Help desk"
    assert await ivan.post("language", {"language": "ru"}) == (200, {})
    assert (await ivan.seen())[0]["blocks"][0]["text"] == "Служба поддержки"
    shell = await ivan.shell()
    assert shell["language"] == "ru"
    assert shell["rooms"] == [{"room": "u-ivan", "kind": "direct", "title": "Служба поддержки"}]
    status, answer = await ivan.post("language", {"language": "xx"})
    assert status == 400
    assert "en, ru" in answer["error"]
    assert "языке" in answer["error"]


async def test_the_shell_tells_who_it_is_and_what_they_may_see(rig: Rig) -> None:
    shell = await (await rig.browser("anna")).shell()
    assert shell["person"] == {"name": "Anna", "staff": True}
    assert [room["room"] for room in shell["rooms"]] == ["u-anna", "support"]
    assert shell["limits"] == {"text": 100_000, "file": 20_000_000}
    assert shell["languages"] == ["en", "ru"]
    assert all(key.startswith("page.") for key in shell["words"])


async def test_somebody_who_is_no_agent_any_more_has_no_staff_room(rig: Rig) -> None:
    anna = await rig.browser("anna")
    assert (await anna.say("hello", room="support"))[0] == 200
    await rig.appoint()
    assert (await anna.say("hello", room="support"))[0] == 404
    assert await anna.seen() == []


@pytest.mark.parametrize("text", ["", " \n ", "\u00a0"])
async def test_nothing_said_is_answered_with_what_to_do(rig: Rig, text: str) -> None:
    ivan = await rig.browser("ivan")
    assert await ivan.say(text) == (400, {"error": "Write something or attach a file first."})
    assert await rig.inbox() == []


async def test_too_many_acts_in_a_short_time_are_slowed(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    answers = [await ivan.post("say", []) for _ in range(301)]
    assert [status for status, _ in answers][-1] == 429
    assert "Wait" in answers[-1][1]["error"]
