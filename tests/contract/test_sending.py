"""What an adapter promises about showing, editing and taking back, for every messenger."""

from datetime import timedelta

import pytest

from bot.adapters.port import Posted, Reader
from bot.message import Choice, Message, Plain, Words, say
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address, Identity
from tests.contract.rig import BULKY, EN, RU, Rig, Seen, below, everywhere, heard, opened

PARAGRAPHS = "\n\n".join(f"Paragraph {place}: " + "all work and no play. " * 20 for place in range(30))
"""About 13 000 characters: too long for one message of most messengers."""


def plain(text: str, *labels: str) -> Message:
    """A message of people's own words, with a row of buttons."""
    return say(
        Plain(text), rows=[[Choice(f"t.do.{place}", Plain(label)) for place, label in enumerate(labels)]]
    )


def only(shown: list[Seen]) -> Seen:
    [one] = shown
    return one


async def test_a_post_returns_its_id_and_is_seen(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("Good morning"), EN, "n1")
    seen = only(await rig.seen(rig.ivan, home))
    assert (seen.id, seen.text, seen.below, seen.mine) == (posted.message, "Good morning", None, False)


async def test_a_post_in_a_room_is_seen_by_everybody_there(rig: Rig) -> None:
    posted = await rig.adapter.post(rig.room, plain("Good morning"), EN, "n1")
    for who in (rig.ivan, rig.anna):
        assert only(await rig.seen(who, rig.room)).id == posted.message
    assert "Good morning" not in await everywhere(rig, rig.olga)


async def test_the_same_nonce_twice_is_one_message(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    first = await rig.adapter.post(home, plain("Good morning"), EN, "n1")
    assert await rig.adapter.post(home, plain("Good morning"), EN, "n1") == first
    only(await rig.seen(rig.ivan, home))


async def test_posts_keep_their_order_and_equal_words_are_two_messages(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    for nonce, text in (("n1", "one"), ("n2", "two"), ("n3", "two")):
        await rig.adapter.post(home, plain(text), EN, nonce)
    assert [seen.text for seen in await rig.seen(rig.ivan, home)] == ["one", "two", "two"]


async def test_an_edit_replaces_in_place(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("Who is on it?", "Me", "Nobody"), EN, "n1")
    await rig.adapter.post(home, plain("later"), EN, "n2")
    edited = await rig.adapter.edit(home, posted, plain("Anna is on it", "Thanks"), EN)
    first, second = await rig.seen(rig.ivan, home)
    assert (first.text, first.buttons, first.id) == ("Anna is on it", ("Thanks",), edited.message)
    assert second.text == "later"


async def test_an_edit_can_take_the_buttons_away(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("Who is on it?", "Me"), EN, "n1")
    await rig.adapter.edit(home, posted, plain("Who is on it?"), EN)
    assert only(await rig.seen(rig.ivan, home)).buttons == ()


async def test_an_edit_with_equal_content_is_no_error(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("Who is on it?", "Me"), EN, "n1")
    for _ in range(2):
        posted = await rig.adapter.edit(home, posted, plain("Who is on it?", "Me"), EN)
    seen = only(await rig.seen(rig.ivan, home))
    assert (seen.text, seen.buttons) == ("Who is on it?", ("Me",))


async def test_an_edit_leaves_nothing_of_a_longer_text_and_lacks_nothing_of_one(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain(PARAGRAPHS), EN, "n1")
    posted = await rig.adapter.edit(home, posted, plain("short"), EN)
    assert only(await rig.seen(rig.ivan, home)).text == "short"
    posted = await rig.adapter.edit(home, posted, plain(PARAGRAPHS), EN)
    assert "Paragraph 29" in await everywhere(rig, rig.ivan)
    await rig.adapter.delete(home, posted)
    assert await rig.seen(rig.ivan, home) == []


async def test_a_deletion_removes_and_a_second_one_is_no_error(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("a slip"), EN, "n1")
    await rig.adapter.post(home, plain("stays"), EN, "n2")
    for _ in range(2):
        await rig.adapter.delete(home, posted)
        assert only(await rig.seen(rig.ivan, home)).text == "stays"


async def test_an_edit_of_what_is_gone_is_told_as_gone(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("a slip"), EN, "n1")
    await rig.adapter.delete(home, posted)
    for gone in (posted, Posted("999999999"), Posted("nonsense")):
        with pytest.raises(PermanentError) as raised:
            await rig.adapter.edit(home, gone, plain("again"), EN)
        assert raised.value.code == "gone"


async def test_what_is_for_one_person_alone_is_seen_by_nobody_else(rig: Rig) -> None:
    if not rig.adapter.features.whispers:
        pytest.skip("in this messenger whoever is in a room sees everything that is said there")
    reader = Reader("en", "UTC", only=rig.anna)
    posted = await rig.adapter.post(rig.room, plain("Boris took it 4 s ago"), reader, "n1")
    assert "Boris took it" in await everywhere(rig, rig.anna)
    assert "Boris took it" not in await everywhere(rig, rig.ivan)
    await rig.adapter.edit(rig.room, posted, plain("Boris gave it back"), reader)
    assert "Boris gave it back" in await everywhere(rig, rig.anna)
    assert "Boris" not in await everywhere(rig, rig.ivan)


async def test_messages_of_a_thread_stand_below_their_root(rig: Rig) -> None:
    root = await opened(rig, "#1 VPN drops", "n1")
    other = await opened(rig, "#2 Printer", "n2")
    thread = below(rig.room, root)
    line = await rig.adapter.post(thread, plain("Anna took it"), EN, "n3")
    seen = {each.id: each for each in await rig.seen(rig.anna, rig.room)}
    assert seen[line.message].below == root.message
    assert seen[root.message].below is None
    assert seen[other.message].below is None
    await rig.adapter.edit(thread, line, plain("Boris took it"), EN)
    changed = {each.id: each for each in await rig.seen(rig.anna, rig.room)}[line.message]
    assert (changed.text, changed.below) == ("Boris took it", root.message)
    await rig.adapter.delete(thread, line)
    assert {each.id for each in await rig.seen(rig.anna, rig.room)} == {root.message, other.message}


async def test_a_platform_in_trouble_is_told_as_temporary_and_the_next_try_succeeds_once(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    async with rig.trouble():
        with pytest.raises(TemporaryError):
            await rig.adapter.post(home, plain(BULKY), EN, "n1")
    await rig.adapter.post(home, plain(BULKY), EN, "n1")
    assert only(await rig.seen(rig.ivan, home)).text.replace("\n", "") == BULKY


async def test_an_edit_in_trouble_is_told_as_temporary_and_changes_nothing(rig: Rig) -> None:
    home = rig.home(rig.ivan)
    posted = await rig.adapter.post(home, plain("before"), EN, "n1")
    async with rig.trouble():
        with pytest.raises(TemporaryError):
            await rig.adapter.edit(home, posted, plain(BULKY), EN)
    assert only(await rig.seen(rig.ivan, home)).text == "before"


async def test_what_the_desk_says_itself_is_never_heard(rig: Rig) -> None:
    posted = await rig.adapter.post(rig.room, plain("#1 VPN drops", "Take it"), EN, "n1")
    await rig.adapter.edit(rig.room, posted, plain("#1 VPN drops: Anna is on it"), EN)
    await rig.adapter.post(rig.home(rig.ivan), plain("Anna is on it"), EN, "n2")
    await rig.say(rig.ivan, rig.home(rig.ivan), "thanks")
    assert len(await heard(rig)) == 1


async def test_a_direct_conversation_is_that_persons_alone(rig: Rig) -> None:
    direct = rig.adapter.direct(rig.ivan) or rig.home(rig.ivan)
    await rig.adapter.post(direct, plain("between us"), EN, "n1")
    assert "between us" in await everywhere(rig, rig.ivan)
    assert "between us" not in await everywhere(rig, rig.anna)


async def test_a_stranger_to_the_messenger_has_no_direct_conversation_there(rig: Rig) -> None:
    assert rig.adapter.direct(Identity("pigeon", "17")) is None


async def test_a_message_is_worded_in_its_readers_language(rig: Rig) -> None:
    words = say(Words("told.claimed", {"name": Plain("Anna"), "ticket": 1, "title": Plain("VPN")}))
    await rig.adapter.post(rig.home(rig.ivan), words, EN, "n1")
    await rig.adapter.post(rig.home(rig.olga), words, RU, "n2")
    assert only(await rig.seen(rig.ivan, rig.home(rig.ivan))).text == "Anna is on #1 VPN."
    assert only(await rig.seen(rig.olga, rig.home(rig.olga))).text == "Заявкой #1 VPN занимается Anna."


async def test_a_connected_adapter_says_that_it_is_well(rig: Rig) -> None:
    assert rig.adapter.health().ok
    assert rig.adapter.platform == rig.room.platform == rig.ivan.platform


async def test_being_at_work_is_shown_without_a_fault_and_leaves_no_message(rig: Rig) -> None:
    for where in (rig.home(rig.ivan), rig.room, Address(rig.room.platform, "nowhere")):
        await rig.adapter.typing(where)
    assert await rig.seen(rig.ivan, rig.home(rig.ivan)) == []


async def test_the_gap_between_two_messages_is_told_for_every_room(rig: Rig) -> None:
    assert timedelta(0) <= rig.adapter.gap(rig.home(rig.ivan)) < timedelta(minutes=1)
    assert timedelta(0) <= rig.adapter.gap(rig.room) < timedelta(minutes=1)
