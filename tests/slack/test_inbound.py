"""Reading: everything that Slack brings is read as what somebody did, or is known to mean nothing."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.port import Raw
from bot.adapters.slack import envelope, inbound, plain
from bot.adapters.slack.reading import Reading
from bot.incoming import (
    Carried,
    Deleted,
    Edited,
    Incoming,
    Opened,
    Pressed,
    Quoted,
    Reacted,
    Said,
    Submitted,
    Trouble,
)
from core.kernel.ids import Address, Identity
from tests.slack.lore import AT, ME, SAMPLES, TRIAGE, VIP, heard, kept, known, names, read, sample

IVAN, ANNA = Identity("slack", "T01/U01IVAN"), Identity("slack", "T01/U01ANNA")
PRESS = "feedbeef00112233"
TS, ROOT = "1772442000.000100", "1772441000.000100"
TOWN = "slack:T01/C01TOWN"
NOBODYS = {
    "what happened, and nobody said": """
        message_channel_join message_channel_leave message_channel_topic message_channel_purpose
        message_channel_name message_channel_archive message_channel_unarchive message_pinned_item
        message_reminder_add message_bot_add message_huddle_thread message_channel_convert_to_private
        message_document_mention message_channel_posting_permissions message_replied
    """,
    "edits by nobody": """
        message_changed_unfurled message_changed_our_own
        message_changed_by_bot
    """,
    "what the desk said itself": "message_our_own",
    "people of other workspaces": "message_of_another_workspace",
    "emoji that mean nothing": "reaction_skin_tone reaction_party reaction_removed reaction_to_file",
    "what happens to others, or elsewhere": """
        member_joined_channel member_joined_town_desk member_left_channel channel_archive_elsewhere
        channel_rename user_change file_shared app_home_messages
    """,
    "what the hearing itself takes note of": "tokens_revoked tokens_revoked_of_person app_uninstalled",
    "other kinds": "unknown_event app_rate_limited view_closed block_suggestion",
    "presses and shortcuts that are none of ours": """
        block_actions_link block_actions_modal message_action_unknown shortcut_unknown
    """,
}
"""What means nothing to a help desk."""


@pytest.mark.parametrize("name", names())
def test_every_kind_means_something_or_is_known_to_mean_nothing(name: str) -> None:
    assert (read(name) is None) == any(name in kinds.split() for kinds in NOBODYS.values())


# ---- words


def test_a_direct_message_begins_a_thread_of_its_own() -> None:
    found = heard("message_direct")
    assert found.sender.identity == IVAN
    assert (found.sender.name, found.sender.language) == ("Ivan Petrov", "ru-RU")
    assert not found.sender.automatic
    assert found.where == Address("slack", "T01/U01IVAN", TS)
    assert found.private
    assert found.at == datetime(2026, 3, 2, 9, 0, 0, 100, tzinfo=UTC)
    assert found.what == Said("The printer is on fire", TS)


def test_a_direct_message_in_a_thread_answers_it() -> None:
    found = heard("message_direct_in_thread")
    assert found.where.thread == ROOT
    assert found.what == Said("and it smells", "1772442010.000100", reply_to=ROOT)


def test_what_people_say_in_a_channel_is_not_said_to_the_desk() -> None:
    found = heard("message_channel")
    assert found.where == Address("slack", "T01/C01TOWN")
    assert not found.private
    assert found.what == Said("has anybody seen my charger?", TS, addressed=False)
    assert heard("message_channel_in_thread").where.thread == ROOT


def test_a_thread_of_a_staff_room_is_the_thread_of_its_card() -> None:
    found = heard("message_staff_thread")
    assert found.where == Address("slack", TRIAGE, ROOT)
    assert found.what == Said("looking at it", TS, addressed=False)


@pytest.mark.parametrize("name", ["message_mentions_desk", "app_mention"])
def test_a_mention_is_said_to_the_desk_and_its_name_is_not_part_of_the_words(name: str) -> None:
    assert heard(name).what == Said("my VPN is gone", TS, addressed=True, where="#town")


def test_a_mention_and_its_message_are_one_event() -> None:
    mention, message = sample("app_mention"), sample("message_mentions_desk")
    assert mention["event_id"] != message["event_id"]
    assert envelope.key(mention) == envelope.key(message) == f"message:C01TOWN:{TS}"


def test_a_mention_in_the_middle_stays_part_of_the_words_and_what_stands_above_it_comes_along() -> None:
    found = heard("app_mention_in_thread").what
    above = Quoted(heard("message_staff_thread").sender, "my phone is dead", ROOT, (), TOWN, "#town")
    words = "can @Somebody U01DESK, perhaps, help?"
    assert found == Said(words, TS, quoted=above, addressed=True, where="#town")


def test_where_something_stands_is_told_by_its_address() -> None:
    me = replace(ME, url="https://acme.slack.com/")
    reading = Reading(replace(known(), me=me), {}, datetime.now(UTC), None)
    assert reading.where({"ts": TS}, "C01TOWN") == (
        "#town: https://acme.slack.com/archives/C01TOWN/p1772442000000100"
    )
    assert reading.where({"ts": TS, "thread_ts": ROOT}, "C01TOWN") == (
        "#town: https://acme.slack.com/archives/C01TOWN/p1772442000000100"
        "?thread_ts=1772441000.000100&cid=C01TOWN"
    )
    assert reading.where({"ts": TS}, "D01IVAN") is None


@pytest.mark.parametrize("name", ["message_deleted", "message_changed_to_tombstone"])
def test_a_message_that_is_gone_is_named_by_its_author(name: str) -> None:
    found = heard(name)
    assert found.sender.identity == IVAN
    assert (found.where, found.what) == (Address("slack", "T01/U01IVAN", TS), Deleted(TS))
    assert envelope.raw(sample(name), ME, AT, "key").lane == "T01/U01IVAN"


def test_markup_becomes_the_words_that_people_see() -> None:
    found = heard("message_marked_up").what
    assert isinstance(found, Said)
    assert found.text == (
        "ask @Anna or @boris in #town and #random, see the wiki (https://wiki.example.org/a?b=1&c=2),"
        " https://wiki.example.org, http://example.org, it@example.org; @here @network 2026-03-02"
        " 1 < 2 && 3 > 2"
    )


def test_what_is_passed_on_is_told_with_its_author_and_its_files() -> None:
    found = heard("message_passed_on").what
    assert isinstance(found, Said)
    assert found.text == "please look\n↪️ Anna Smirnova:\nThe status page (https://status.example.org) is red"
    assert [file.name for file in found.files] == ["red.png"]
    linked = heard("message_with_link_to_message").what
    assert isinstance(linked, Said)
    assert "not said here" not in linked.text


def test_only_the_first_names_of_a_text_are_asked_for() -> None:
    asked: list[str] = []
    lore = known()
    people = type(lore.people)
    text = " ".join(f"<@U{number:03}>" for number in range(50))
    body = sample("message_direct")
    body["event"]["text"] = text

    class Counting(people):  # type: ignore[misc, valid-type]
        def name(self, user: str) -> str:
            asked.append(user)
            return f"n{user}"

    counting = inbound.Known(ME, Counting(None), lore.channels, lore.files)
    found = inbound.read(kept(body), counting)
    assert found is not None
    assert isinstance(found.what, Said)
    assert len(set(asked)) == 20
    assert found.what.text.startswith("@nU000 ")
    assert found.what.text.endswith(" @U049")


# ---- files


def test_files_come_along_by_their_ids() -> None:
    assert heard("message_file_share").what == Said(
        "here is the log", TS, files=(Carried("F01LOG", "vpn.log", "text/plain", 2048, limit=1_000_000_000),)
    )
    found = heard("message_two_files_no_words").what
    assert isinstance(found, Said)
    assert (found.text, [file.mime for file in found.files]) == ("", ["image/png", "audio/mp4"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("message_file_external", "the plan\n📎 Plan (https://docs.google.com/document/d/1)"),
        ("message_canvas", "our notes\n📎 Notes (https://acme.slack.com/docs/T01/F01CAN)"),
    ],
)
def test_what_has_no_bytes_is_a_link(name: str, words: str) -> None:
    assert heard(name).what == Said(words, TS)


@pytest.mark.parametrize("name", ["message_file_tombstone", "message_file_hidden_by_limit"])
def test_a_file_that_cannot_be_had_is_not_hushed_up(name: str) -> None:
    found = heard(name).what
    assert isinstance(found, Said)
    assert len(found.files) == 1


def test_a_file_of_a_shared_channel_is_known_once_it_was_asked_for() -> None:
    found = heard("message_file_of_shared_channel").what
    assert isinstance(found, Said)
    assert found.files[0] == Carried("F01LATE", "late.pdf", "application/pdf", 5, limit=1_000_000_000)


# ---- who


@pytest.mark.parametrize(
    ("name", "account", "called"),
    [
        ("message_bot", "T01/U02BOT", "Backups"),
        ("message_bot_classic", "T01/B02CI", "CI"),
        ("message_slackbot", "T01/USLACKBOT", "Slackbot"),
    ],
)
def test_programs_are_automatic(name: str, account: str, called: str) -> None:
    sender = heard(name).sender
    assert (sender.identity.account, sender.name, sender.automatic) == (account, called, True)


def test_somebody_of_another_workspace_is_another_and_served_only_if_that_is_wanted() -> None:
    found = heard("message_of_another_workspace", others=True)
    assert found.sender.identity == Identity("slack", "T09/U09GUEST")
    assert found.where == Address("slack", "T01/C01TOWN")


def test_the_same_user_id_in_another_workspace_is_another_person() -> None:
    body = sample("message_direct")
    body["team_id"] = body["event"]["team"] = "T66"
    assert inbound.read(kept(body), known()) is None
    found = inbound.read(kept(body), known(others=True))
    assert found is not None
    assert found.sender.identity == Identity("slack", "T66/U01IVAN")
    assert found.where.room == "T66/U01IVAN"


def test_where_slack_names_no_workspace_the_person_is_asked_for_theirs() -> None:
    body = sample("reaction_ticket")
    body["event"]["user"] = "U09GUEST"
    body["is_ext_shared_channel"] = True
    found = inbound.read(kept(body), known(others=True))
    assert found is not None
    assert found.sender.identity == Identity("slack", "T09/U09GUEST")
    assert inbound.read(kept(body), known()) is None


# ---- what happens to messages


def test_an_edit_tells_the_new_words() -> None:
    found = heard("message_changed")
    assert found.what == Edited("The printer is on fire", TS)
    assert found.where == Address("slack", "T01/U01IVAN", TS)
    assert found.at == datetime(2026, 3, 2, 9, 1, 40, tzinfo=UTC)
    in_thread = heard("message_changed_in_thread")
    assert in_thread.where == Address("slack", TRIAGE, ROOT)
    assert in_thread.what == Edited("smells", TS)


def test_the_same_edit_told_twice_is_one_event() -> None:
    told = sample("message_changed")
    again = {**told, "event_id": "Ev0AGAIN"}
    assert envelope.key(told) == envelope.key(again)
    assert envelope.key(told).startswith(f"edited:D01IVAN:{TS}:1772442100.000000")


def test_two_edits_within_one_second_are_two_events() -> None:
    first, second = sample("message_changed"), sample("message_changed")
    second["event"]["message"] = {**second["event"]["message"], "text": "other words"}
    assert envelope.key(first) != envelope.key(second)


def test_a_ticket_emoji_brings_the_words_that_stand_above_it() -> None:
    found = heard("reaction_ticket")
    assert found.where == Address("slack", "T01/C01TOWN")
    quoted = Quoted(heard("message_staff_thread").sender, "my phone is dead", TS, (), TOWN, "#town")
    assert found.what == Reacted("🎫", TS, quoted)
    assert heard("reaction_ticket_on_ours").what == Reacted("🎫", TS)


@pytest.mark.parametrize(
    ("name", "emoji"), [("reaction_eyes_in_staff", "👀"), ("reaction_done_in_staff", "✅")]
)
def test_emoji_in_staff_rooms_need_nothing_else(name: str, emoji: str) -> None:
    assert heard(name).what == Reacted(emoji, TS)


def test_an_opened_home_tab_is_a_place_of_its_own() -> None:
    for name in ("app_home_opened", "app_home_opened_first"):
        found = heard(name)
        assert found.where == Address("slack", "T01/U01IVAN~home")
        assert (found.what, found.private) == (Opened(), True)
        assert Address.parse(str(found.where)) == found.where


# ---- what happens to the desk


@pytest.mark.parametrize(
    ("name", "kind", "room", "who"),
    [
        ("member_joined_channel_desk", "returned", TRIAGE, "T01/U01ANNA"),
        ("channel_left", "removed", TRIAGE, "T01/U01ANNA"),
        ("channel_left_nobody_said_who", "removed", TRIAGE, "T01/U01DESK"),
        ("channel_archive", "removed", TRIAGE, "T01/U01ANNA"),
        ("channel_unarchive", "returned", TRIAGE, "T01/U01ANNA"),
        ("group_left", "removed", VIP, "T01/U01ANNA"),
        ("group_archive", "removed", VIP, "T01/U01ANNA"),
        ("group_unarchive", "returned", VIP, "T01/U01ANNA"),
    ],
)
def test_what_happens_to_the_desk_in_its_rooms_is_told(name: str, kind: str, room: str, who: str) -> None:
    found = heard(name)
    assert isinstance(found.what, Trouble)
    assert (found.what.kind, found.where) == (kind, Address("slack", room))
    assert found.sender.identity.account == who
    assert not found.sender.automatic


# ---- buttons, forms, shortcuts, commands


@pytest.mark.parametrize(
    ("name", "room", "thread", "pressed"),
    [
        ("block_actions_button", TRIAGE, None, Pressed("t.42.take", TS, PRESS)),
        ("block_actions_button_in_thread", TRIAGE, TS, Pressed("t.42.take", "1772442001.000100", PRESS)),
        ("block_actions_button_direct", "T01/U01ANNA", TS, Pressed("t.42.take", TS, PRESS)),
        ("block_actions_overflow", TRIAGE, None, Pressed("t.42.resolve", TS, PRESS)),
        ("block_actions_select", TRIAGE, None, Pressed("t.42.resolve", TS, PRESS)),
        ("block_actions_ephemeral", TRIAGE, None, Pressed("t.42.take", TS, PRESS)),
        ("block_actions_home", "T01/U01ANNA", None, Pressed("n.new", None, PRESS)),
    ],
)
def test_a_press_is_its_code_and_where_it_stood(
    name: str, room: str, thread: str | None, pressed: Pressed
) -> None:
    found = heard(name)
    assert found.sender.identity == ANNA
    assert found.where == Address("slack", room, thread)
    assert found.private == (room not in (TRIAGE, VIP))
    assert found.what == pressed
    assert found.at == datetime.fromtimestamp(AT, UTC)


def test_a_form_says_itself_where_it_was_opened() -> None:
    found = heard("view_submission")
    assert found.where == Address("slack", TRIAGE, TS)
    assert not found.private
    values = (("text", "Try <again> & see"), ("kind", "vpn"), ("when", ""))
    assert found.what == Submitted("f.42.reply", values, PRESS)
    home = heard("view_submission_from_home")
    assert (home.where, home.private) == (Address("slack", "T01/U01ANNA~home"), True)
    nowhere = heard("view_submission_from_nowhere")
    assert (nowhere.where, nowhere.private) == (Address("slack", "T01/U01ANNA"), True)


def test_the_ticket_shortcut_quotes_the_message() -> None:
    found = heard("message_action_ticket")
    assert found.sender.identity == ANNA
    assert found.where == Address("slack", "T01/C01TOWN")
    quoted = Quoted(heard("message_direct").sender, "my VPN <client> is gone", TS, (), TOWN, "#town")
    assert found.what == Said("/ticket", PRESS, quoted=quoted, press=PRESS)
    with_file = heard("message_action_ticket_with_file").what
    assert isinstance(with_file, Said)
    assert with_file.quoted is not None
    assert [file.name for file in with_file.quoted.files] == ["vpn.log"]
    of_bot = heard("message_action_ticket_of_bot").what
    assert isinstance(of_bot, Said)
    assert of_bot.quoted is not None
    assert of_bot.quoted.sender.automatic


def test_a_shortcut_in_somebody_elses_direct_messages_is_private() -> None:
    found = heard("message_action_ticket_direct")
    assert (found.where, found.private) == (Address("slack", "T01/U01ANNA"), True)


def test_what_is_pressed_in_words_for_one_person_alone_stands_in_no_thread() -> None:
    payload = sample("block_actions_button_direct")
    payload["container"]["is_ephemeral"] = True
    payload.pop("message", None)
    payload["container"].pop("thread_ts", None)
    found = inbound.read(kept(payload), known())
    assert found is not None
    assert (found.where.thread, found.private) == (None, True)


@pytest.mark.parametrize("others", [False, True])
def test_the_words_of_another_workspace_count_as_those_of_a_program_unless_served(*, others: bool) -> None:
    payload = sample("message_action_ticket")
    payload["message"] |= {"user": "U09GUEST", "team": "T09", "user_team": "T09"}
    found = inbound.read(kept(payload), known(others=others))
    assert found is not None
    assert isinstance(found.what, Said)
    assert found.what.quoted is not None
    assert found.what.quoted.sender.automatic is not others


def test_send_to_requester_is_a_reply_in_that_thread() -> None:
    found = heard("message_action_send")
    assert found.where == Address("slack", TRIAGE, ROOT)
    assert isinstance(found.what, Said)
    assert found.what.text == "/reply"
    assert found.what.quoted is not None
    assert found.what.quoted.text == "Restart it, please"


def test_the_new_request_shortcut_is_the_command_in_private() -> None:
    found = heard("shortcut_new_request")
    assert (found.where, found.private) == (Address("slack", "T01/U01ANNA"), True)
    assert found.what == Said("/new", PRESS, press=PRESS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("command_desk", "/take 42"),
        ("command_desk_alone", "/help"),
        ("command_desk_slash", "/take 42"),
        ("command_single", "/take 42"),
        ("command_direct", "/new my VPN is gone"),
        ("command_escaped", "/assign 42 @ivan in #random 1 < 2"),
    ],
)
def test_a_command_is_the_same_under_one_root_and_by_itself(name: str, text: str) -> None:
    found = heard(name)
    mentions = (("@ivan", Identity("slack", "T01/U01IVAN")),) if "@ivan" in text else ()
    assert found.what == Said(text, PRESS, press=PRESS, mentions=mentions)
    assert found.private == (name == "command_direct")


# ---- what is kept


@pytest.mark.parametrize("name", names())
def test_nothing_that_opens_or_answers_anything_is_kept(name: str) -> None:
    body = json.dumps(kept(sample(name)))
    for secret in ("legacyVerificationToken", "hooks.slack.com", "0123456789abcdef0123456789abcdef"):
        assert secret not in body


@pytest.mark.parametrize(
    ("name", "lane", "message"),
    [
        ("message_direct", "T01/U01IVAN", f"T01/U01IVAN/{TS}"),
        ("message_channel", "T01/C01TOWN", f"T01/C01TOWN/{TS}"),
        ("message_changed", "T01/U01IVAN", None),
        ("message_deleted", "T01/U01IVAN", None),
        ("reaction_ticket", "T01/C01TOWN", None),
        ("app_home_opened", "T01/U01IVAN", None),
        ("block_actions_button", TRIAGE, None),
        ("block_actions_button_direct", "T01/U01ANNA", None),
        ("block_actions_home", "T01/U01ANNA", None),
        ("view_submission", "T01/U01ANNA", None),
        ("command_direct", "T01/U01ANNA", None),
        ("command_single", TRIAGE, None),
        ("user_change", "other", None),
    ],
)
def test_a_conversation_is_a_lane_and_a_message_can_be_found_again(
    name: str, lane: str, message: str | None
) -> None:
    raw = envelope.raw(sample(name), ME, AT, "key")
    assert (raw.lane, raw.message) == (lane, message)


def test_what_the_desk_did_itself_is_of_no_concern() -> None:
    mine = {name for name in names() if not envelope.of_concern(sample(name), ME)}
    assert mine == {
        "file_shared",
        "message_changed_our_own",
        "message_our_own",
        "user_change",
        "view_closed",
    }


def test_a_form_sent_in_again_unchanged_has_the_same_key() -> None:
    first, again, other = (sample("view_submission") for _ in range(3))
    again["trigger_id"] = "another"
    other["view"]["state"]["values"]["text"]["text"]["value"] = "another"
    assert envelope.key(first) == envelope.key(again) != envelope.key(other)


def test_two_presses_of_one_button_have_two_keys() -> None:
    first, second = sample("block_actions_button"), sample("block_actions_button")
    second["trigger_id"] = "another"
    assert envelope.key(first) == envelope.key(sample("block_actions_button")) != envelope.key(second)


# ---- what is broken


@pytest.mark.parametrize("name", names(SAMPLES / "broken"))
def test_what_is_broken_is_kept_and_is_a_value_error_or_read_as_far_as_it_goes(name: str) -> None:
    payload = json.loads((SAMPLES / "broken" / f"{name}.json").read_text("utf-8"))
    envelope.of_concern(payload, ME)
    try:
        found = inbound.read(kept(payload), known())
    except ValueError:
        return
    assert found is None or isinstance(found, Incoming)


_ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "x", "\ud800", "1e999", "nan", [], [[]], [None], {}, {"id": {}}]
).map(copy.deepcopy)
_PAYLOADS = [sample(name) for name in names()]


def _places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, each in inside for place in _places(each, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """Something real with a few of its fields gone or odd."""
    payload = copy.deepcopy(_PAYLOADS[draw(st.integers(0, len(_PAYLOADS) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(payload) if place]
        if not places:
            break
        *path, last = draw(st.sampled_from(places))
        inside = payload
        for key in path:
            inside = inside[key]
        if draw(st.booleans()):
            del inside[last]
        else:
            inside[last] = draw(_ODD)
    return payload


@settings(max_examples=1500, deadline=None)
@given(mutated())
def test_what_is_mutilated_is_a_value_error_at_worst(payload: Any) -> None:
    envelope.of_concern(payload, ME)
    raw = envelope.raw(payload, ME, AT, envelope.key(payload))
    assert isinstance(raw, Raw)
    json.dumps(raw.body)
    try:
        found = inbound.read(raw.body, known(others=True))
    except ValueError:
        return
    assert found is None or isinstance(found, Incoming)


@settings(deadline=None)
@given(st.text(st.sampled_from("<>|@#!&;^amplgtU1 http:/é"), max_size=60))
def test_any_markup_is_read_to_the_end(text: str) -> None:
    shown = plain.words(text, lambda user: "Name", lambda channel: "name")
    assert isinstance(shown, str)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_what_somebody_types_is_what_is_read(text: str) -> None:
    typed = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert plain.words(typed, str, str) == text
