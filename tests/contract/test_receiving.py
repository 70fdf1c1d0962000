"""What an adapter promises about what people do: committed, then acknowledged, once each, in order."""

from bot.incoming import Edited, Incoming, Pressed, Said, Submitted
from bot.message import Choice, Form, Input, Option, Plain, say
from tests.contract.rig import BULKY, EN, Rig, below, disk_full, heard, letters, opened, read
from tests.contract.texts import TEXTS

CODE = "d." + "9" * 58
"""As long as a code may be."""
PASS = Form(
    "f.pass.1",
    Plain("Pass #1"),
    (
        Input(
            "to",
            Plain("To whom?"),
            kind="choice",
            options=(Option("7", Plain("Anna")), Option("8", Plain("Boris"))),
        ),
        Input("handover", Plain("Why?"), required=False, long=True),
    ),
    Plain("Pass on"),
)


def pressed(incoming: Incoming) -> tuple[str, str | None]:
    """What was pressed where; a messenger may add its own id of the press."""
    assert isinstance(incoming.what, Pressed)
    return incoming.what.code, incoming.what.message


async def test_what_is_said_is_heard_with_whom_where_and_when(rig: Rig) -> None:
    deed = await rig.say(rig.ivan, rig.home(rig.ivan), "VPN drops")
    [incoming] = await heard(rig)
    assert deed.acknowledged
    assert incoming.sender.identity == rig.ivan
    assert incoming.sender.name
    assert not incoming.sender.automatic
    assert incoming.where.space == rig.home(rig.ivan)
    assert incoming.private
    assert incoming.at.tzinfo is not None
    assert incoming.what == Said("VPN drops", deed.message, addressed=True)


async def test_an_event_is_committed_before_it_is_acknowledged(rig: Rig) -> None:
    for count in range(1, 4):
        assert (await rig.say(rig.ivan, rig.home(rig.ivan), f"words {count}")).acknowledged
        assert len(await letters(rig)) == count


async def test_what_could_not_be_kept_is_not_acknowledged_and_counts_when_told_again(rig: Rig) -> None:
    async with disk_full(rig.database):
        deed = await rig.say(rig.ivan, rig.home(rig.ivan), BULKY)
        assert not deed.acknowledged
        assert await letters(rig) == []
    again = await deed.again()
    assert again.acknowledged
    [incoming] = await heard(rig)
    assert incoming.what == Said(BULKY, again.message)


async def test_the_same_event_told_twice_counts_once(rig: Rig) -> None:
    posted = await rig.adapter.post(
        rig.home(rig.ivan), say(Plain("?"), rows=[[Choice("t.x", Plain("Yes"))]]), EN, "n1"
    )
    said = await rig.say(rig.ivan, rig.home(rig.ivan), "VPN drops")
    pressed = await rig.press(rig.ivan, rig.home(rig.ivan), posted.message, "Yes")
    edited = await rig.edit(rig.ivan, rig.home(rig.ivan), said.message, "VPN fails")
    before = await heard(rig)
    assert len(before) == 3
    for deed in (said, pressed, edited):
        assert (await deed.again()).acknowledged
    assert await heard(rig) == before


async def test_the_same_words_said_twice_are_two_events(rig: Rig) -> None:
    for _ in range(2):
        await rig.say(rig.ivan, rig.home(rig.ivan), "hello?")
    assert [incoming.what.text for incoming in await heard(rig) if isinstance(incoming.what, Said)] == [
        "hello?"
    ] * 2


async def test_a_conversation_keeps_its_order_in_one_lane(rig: Rig) -> None:
    for place in range(5):
        await rig.say(rig.ivan, rig.home(rig.ivan), f"word {place}")
        await rig.say(rig.anna, rig.home(rig.anna), f"other {place}")
    lanes: dict[str, list[str]] = {}
    for letter in await letters(rig):
        incoming = await read(rig, letter.body)
        assert incoming is not None
        assert isinstance(incoming.what, Said)
        lanes.setdefault(letter.lane, []).append(incoming.what.text)
    assert sorted(lanes.values()) == [[f"{word} {place}" for place in range(5)] for word in ("other", "word")]


async def test_words_are_heard_as_they_were_written(rig: Rig) -> None:
    for text in TEXTS.values():
        await rig.say(rig.ivan, rig.home(rig.ivan), text)
    said = [incoming.what.text for incoming in await heard(rig) if isinstance(incoming.what, Said)]
    assert said == list(TEXTS.values())


async def test_what_is_said_in_a_room_is_not_private(rig: Rig) -> None:
    await rig.say(rig.anna, rig.room, "good morning all")
    [incoming] = await heard(rig)
    assert (incoming.sender.identity, incoming.where, incoming.private) == (rig.anna, rig.room, False)


async def test_what_is_said_in_a_thread_says_in_which(rig: Rig) -> None:
    root = await opened(rig, "#1 VPN drops", "n1")
    thread = below(rig.room, root)
    deed = await rig.say(rig.anna, thread, "I look into it")
    [incoming] = await heard(rig)
    assert isinstance(incoming.what, Said)
    assert (incoming.where, incoming.what.text, incoming.what.message) == (
        thread,
        "I look into it",
        deed.message,
    )
    seen = {each.id: each for each in await rig.seen(rig.ivan, rig.room)}
    assert seen[deed.message].below == root.message


async def test_an_answer_says_what_it_answers(rig: Rig) -> None:
    posted = await rig.adapter.post(rig.home(rig.ivan), say(Plain("Which version?")), EN, "n1")
    deed = await rig.say(rig.ivan, rig.home(rig.ivan), "5.1", reply_to=posted.message)
    [incoming] = await heard(rig)
    assert isinstance(incoming.what, Said)
    assert (incoming.what.text, incoming.what.message) == ("5.1", deed.message)
    assert incoming.what.reply_to == posted.message


async def test_an_edit_tells_the_new_words_and_which_message(rig: Rig) -> None:
    deed = await rig.say(rig.ivan, rig.home(rig.ivan), "VPN drops")
    await rig.edit(rig.ivan, rig.home(rig.ivan), deed.message, "VPN drops <b>daily</b>")
    incoming = (await heard(rig))[-1]
    assert (incoming.sender.identity, incoming.where.space) == (rig.ivan, rig.home(rig.ivan))
    assert incoming.what == Edited("VPN drops <b>daily</b>", deed.message)


async def test_a_press_tells_its_code_who_and_on_which_message(rig: Rig) -> None:
    rows = [
        [Choice(CODE, Plain("Take it")), Choice("t.b", Plain("Reply"))],
        [Choice("t.c", Plain("More"), menu=True)],
    ]
    posted = await rig.adapter.post(rig.room, say(Plain("#1"), rows=rows), EN, "n1")
    for who, label, code in (
        (rig.anna, "Take it", CODE),
        (rig.ivan, "Reply", "t.b"),
        (rig.anna, "More", "t.c"),
    ):
        deed = await rig.press(who, rig.room, posted.message, label)
        incoming = (await heard(rig))[-1]
        assert deed.acknowledged
        assert incoming.sender.identity == who
        assert incoming.where.space == rig.room
        assert pressed(incoming) == (code, posted.message)


async def test_a_press_in_a_thread_says_in_which(rig: Rig) -> None:
    root = await opened(rig, "#1", "n1")
    thread = below(rig.room, root)
    sent = await rig.adapter.post(thread, say(Plain("Sent"), rows=[[Choice("t.u", Plain("Undo"))]]), EN, "n2")
    await rig.press(rig.anna, thread, sent.message, "Undo")
    [incoming] = await heard(rig)
    assert (incoming.where, *pressed(incoming)) == (thread, "t.u", sent.message)


async def test_a_form_comes_back_with_the_values_behind_what_was_chosen(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    choice = Choice(PASS.code, Plain("Pass to…"), form=PASS)
    posted = await rig.adapter.post(home, say(Plain("#1"), rows=[[choice]]), EN, "n1")
    if not rig.adapter.features.forms:
        await rig.press(rig.ivan, home, posted.message, "Pass to…")
        assert pressed((await heard(rig))[-1]) == (PASS.code, posted.message)
        return
    opened = await rig.open_form(rig.ivan, home, posted.message, "Pass to…")
    deed = await rig.submit(rig.ivan, opened, {"To whom?": "Boris", "Why?": "*he* <knows>\nbetter"})
    incoming = (await heard(rig))[-1]
    assert deed.acknowledged
    assert (incoming.sender.identity, incoming.where.space) == (rig.ivan, home)
    assert isinstance(incoming.what, Submitted)
    assert incoming.what.code == PASS.code
    assert dict(incoming.what.values) == {"to": "8", "handover": "*he* <knows>\nbetter"}


async def test_files_come_with_their_names_and_every_byte(rig: Rig) -> None:
    picture, log = bytes(range(256)) * 300, "ошибка 17\n".encode()
    await rig.say(rig.ivan, rig.home(rig.ivan), "see", files=[("экран.png", picture), ("log.txt", log)])
    carried = [
        file
        for incoming in await heard(rig)
        if isinstance(incoming.what, Said)
        for file in incoming.what.files
    ]
    assert [(file.name, await rig.content(file)) for file in carried] == [
        ("экран.png", picture),
        ("log.txt", log),
    ]


async def test_a_file_without_words_is_heard(rig: Rig) -> None:
    await rig.say(rig.ivan, rig.home(rig.ivan), "", files=[("log.txt", b"x")])
    [incoming] = await heard(rig)
    assert isinstance(incoming.what, Said)
    assert (incoming.what.text, len(incoming.what.files)) == ("", 1)


async def test_a_body_that_is_none_of_the_platforms_is_refused_or_of_no_concern(rig: Rig) -> None:
    for body in ({}, {"nonsense": 1}, {"kind": "said"}):
        try:
            assert rig.adapter.read(body) is None
        except (ValueError, KeyError):
            pass
