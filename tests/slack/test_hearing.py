"""Hearing: kept before it is acknowledged, once however often it is told, and health tells the truth."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.port import Health
from bot.adapters.slack import faults, hearing, taking
from bot.adapters.slack.known import Lacking
from bot.incoming import Opened, Pressed, Quoted, Reacted, Said, Submitted, Trouble
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address
from tests.emulators.slack import File, User
from tests.emulators.slack.faults import Kind
from tests.slack.ear import Ear, ear

pytestmark = pytest.mark.usefixtures("hurried")
MODES = pytest.mark.parametrize("mode", ["socket", "http"])
BUTTONS = [
    {
        "type": "actions",
        "elements": [
            {
                "type": "button",
                "action_id": "c0",
                "text": {"type": "plain_text", "text": "Take"},
                "value": "t.42.take",
            }
        ],
    }
]
FORM = {
    "type": "modal",
    "callback_id": "f.42.reply",
    "private_metadata": "slack:T0ACME/C1#1.2",
    "title": {"type": "plain_text", "text": "Reply"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "text",
            "label": {"type": "plain_text", "text": "Words"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


async def _shows_button(one: Ear) -> Any:
    await one.client.web.chat_postMessage(channel=one.triage.id, text="card", blocks=BUTTONS)
    return one.triage.last


async def _opens_form(one: Ear, ann: User) -> None:
    """She presses, and a form opens."""
    card = await _shows_button(one)
    one.triage.members[ann.id] = ann
    await (await ann.press(card, "Take")).done()
    press = one.door.last.body["press"]
    await one.client.web.views_open(trigger_id=str(one.hearing.presses.trigger(press)), view=FORM)


# ---- kept first


@MODES
async def test_nothing_is_acknowledged_before_it_is_kept(tmp_path: Path, mode: str) -> None:
    async with ear(tmp_path, mode=mode) as one:
        ann = one.slack.user("Ann Lee")
        one.door.quick.clear()
        await ann.send("first")
        act = await ann.command("/desk help")
        await one.slack.until(lambda: one.door.told == 2)
        await asyncio.sleep(0.05)
        assert len(one.slack.deliveries.waiting) == 2
        one.door.quick.set()
        await act.done()
        await one.slack.settled()
        assert act.taken
        assert sorted(await one.words()) == ["/help", "first"]


@MODES
async def test_while_the_database_is_away_nothing_is_acknowledged_and_afterwards_all_is_kept(
    tmp_path: Path, mode: str
) -> None:
    async with ear(tmp_path, mode=mode, time_scale=0.004, patience=0.5) as one:
        await one.hears("before")
        one.door.shut = True
        ann = one.slack.user("Ann Lee")
        for number in range(5):
            await ann.send(f"meanwhile {number}")
        act = await (await ann.command("/desk help")).done()
        await one.slack.until(lambda: one.door.told >= 12, what="second tries")
        assert (act.taken, len(one.slack.deliveries.waiting)) == (False, 5)
        one.later += hearing.HICCUP
        assert not one.hearing.health().ok
        assert "the database is away" in one.hearing.health().detail
        one.door.shut = False
        await one.slack.settled(10)
        assert sorted(await one.words()) == ["before", *(f"meanwhile {number}" for number in range(5))]
        await one.slack.until(lambda: one.hearing.health() == Health(True))


async def test_it_finds_out_by_itself_that_the_database_is_back(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.001, patience=0.2) as one:
        one.door.shut = True
        await one.slack.user("Ann Lee").send("lost on us")
        await one.slack.until(lambda: one.hearing.health().detail)
        await one.slack.settled(10)
        one.door.shut = False
        await one.slack.until(lambda: one.hearing.health() == Health(True))


@MODES
async def test_what_is_told_twice_counts_once(tmp_path: Path, mode: str) -> None:
    async with ear(tmp_path, mode=mode) as one:
        ann = one.slack.user("Ann Lee")
        one.town.members[ann.id] = ann
        await ann.send("@Desk help", channel=one.town)
        await one.slack.settled()
        act = await (await ann.command("/desk help")).done()
        assert [each.event.get("type") for each in one.slack.deliveries.told] == [
            "message",
            "app_mention",
            None,
        ]
        for delivery in [*one.slack.deliveries.told, act.delivery]:
            assert not (await one.slack.deliveries.again(delivery)).reason
        assert sorted(await one.words()) == ["/help", "help"]


async def test_its_own_messages_never_come_back(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await _shows_button(one)
        await one.client.web.chat_update(channel=one.triage.id, ts=one.triage.last.ts, text="changed")
        await one.slack.settled()
        assert len(one.slack.deliveries.told) == 2
        assert one.door.kept == {}


async def test_only_the_memory_knows_what_opens_forms_and_answers_presses(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        act = await (await ann.command("/desk take 42")).done()
        assert act.trigger is not None
        assert act.response is not None
        kept = json.dumps(one.door.last.body)
        assert act.trigger.id not in kept
        assert act.response.path not in kept
        assert one.slack.verification_token not in kept
        press = one.door.last.body["press"]
        assert one.hearing.presses.trigger(press) == act.trigger.id
        assert one.hearing.presses.trigger(press) is None
        urls = [one.hearing.presses.respond_url(press) for _ in range(6)]
        assert urls == [one.slack.url + act.response.path] * 5 + [None]


async def test_a_trigger_and_an_answers_address_have_their_time(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await (await one.slack.user("Ann Lee").command("/desk")).done()
        press = one.door.last.body["press"]
        one.later = 3.0
        assert one.hearing.presses.trigger(press) is None
        assert one.hearing.presses.respond_url(press) is not None
        one.later = 1800.0
        assert one.hearing.presses.respond_url(press) is None
        assert one.hearing.presses.respond_url("unknown") is None


# ---- what is read


async def test_all_that_people_do_is_read(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee", locale="ru-RU", display_name="Annie")
        for channel in (one.town, one.triage):
            channel.members[ann.id] = ann
        said = await ann.send("my phone is dead", channel=one.town, files=[File("dead.png", b"1")])
        await ann.react(said, "ticket")
        await ann.open_home()
        await (await ann.press(await _shows_button(one), "Take")).done()
        await (await ann.shortcut("ticket", said)).done()
        await (await ann.shortcut("new_request")).done()
        await one.slack.settled()
        reads = await one.reads()
        whats = [each.what for each in reads]
        words = "my phone is dead"
        assert {type(what) for what in whats} == {Said, Reacted, Opened, Pressed}
        assert all(each.sender.identity.account == f"{one.slack.team}/{ann.id}" for each in reads)
        assert {(each.sender.name, each.sender.language) for each in reads} == {("Annie", "ru-RU")}
        reacted = next(what for what in whats if isinstance(what, Reacted))
        shortcut = next(what for what in whats if isinstance(what, Said) and what.text == "/ticket")
        for quoted in (reacted.quoted, shortcut.quoted):
            assert isinstance(quoted, Quoted)
            assert (quoted.text, quoted.message, quoted.sender.name) == (words, said.ts, "Annie")
            assert [file.name for file in quoted.files] == ["dead.png"]
        assert len(one.slack.called("users.info")) == 1


async def test_words_in_a_thread_that_nobody_told_of_are_found_there(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann, boris = one.slack.user("Ann Lee"), one.slack.user("Boris")
        for user in (ann, boris):
            one.town.members[user.id] = user
        root = await boris.send("lunch?", channel=one.town, told=False)
        reply = await ann.send("first mend my phone", thread=root, told=False)
        await boris.react(reply, "ticket")
        await one.slack.settled()
        reacted = (await one.reads())[0].what
        assert isinstance(reacted, Reacted)
        assert reacted.quoted is not None
        assert (reacted.quoted.text, reacted.quoted.sender.name) == ("first mend my phone", "Ann Lee")


async def test_what_cannot_be_had_is_not_asked_for_without_end(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        one.town.members[ann.id] = ann
        said = await ann.send("secret", channel=one.town, told=False)
        await ann.react(said, "ticket")
        await one.slack.settled()
        one.slack.scopes -= {"channels:history", "users:read", "channels:read"}
        found = (await one.reads())[0]
        assert found.what == Reacted("🎫", said.ts)
        assert found.sender.name == ann.id
        await one.reads()
        assert len(one.slack.called("conversations.history")) == 1


async def test_while_slack_asks_to_wait_nobody_is_asked_about_and_ids_stand_for_names(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await one.slack.user("Ann Lee", id="U0ANN").send("hello")
        await one.slack.user("Boris", id="U0BORIS").send("hello too")
        await one.slack.settled()
        one.slack.fail("users.info", "429", retry_after=7)
        for _ in range(2):
            assert [each.sender.name for each in await one.reads()] == ["U0ANN", "U0BORIS"]
        assert len(one.slack.called("users.info")) == 1
        one.later = 7.5
        assert [each.sender.name for each in await one.reads()] == ["Ann Lee", "Boris"]
        one.later = 100_000
        one.slack.fail("users.info", "429", retry_after=7)
        assert [each.sender.name for each in await one.reads()] == ["Ann Lee", "Boris"]


async def test_whose_a_stranger_is_must_be_known_before_they_are_served(tmp_path: Path) -> None:
    async with ear(tmp_path, other_workspaces=True) as one:
        zoe = one.slack.user("Zoe Stranger", team="TOTHER")
        shared = one.slack.channel("partners", members=[zoe], shared=True)
        await zoe.react(shared.add(zoe, text="our portal is down"), "ticket")
        await one.slack.settled()
        one.slack.fail("users.info", "429", retry_after=7)
        with pytest.raises(TemporaryError, match="asks to wait"):
            await one.hearing.learn(one.door.last.body)
        one.later = 7.5
        [reacted] = await one.reads()
        assert reacted.sender.identity.account == f"TOTHER/{zoe.id}"


async def test_a_new_name_is_learned_when_slack_tells_it(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await one.hears("hello")
        ann = one.slack.users["U0ANN"]
        await ann.change(real_name="Ann Lee-Smith")
        await one.slack.settled()
        assert (await one.reads())[0].sender.name == "Ann Lee-Smith"
        assert len(one.door.kept) == 1
        assert len(one.slack.called("users.info")) == 1


async def test_after_a_restart_what_waits_can_be_read_before_slack_answers(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await one.hears("hello")
        fresh = one._anew()
        with pytest.raises(Lacking):
            fresh.read(one.door.last.body)
        await fresh.learn(one.door.last.body)
        assert fresh.read(one.door.last.body) is not None


async def test_whoever_wrote_need_not_be_asked_for_their_conversation(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await one.hears("hello")
        ann, boris = one.slack.users["U0ANN"], one.slack.user("Boris")
        assert await one.hearing.channels.dm(ann.id) == ann.dm.id
        assert one.slack.called("conversations.open") == []
        assert await one.hearing.channels.dm(boris.id) == boris.dm.id
        assert len(one.slack.called("conversations.open")) == 1


# ---- forms


async def _answered(one: Ear, verdict: Any) -> None:
    """The desk has its say about the form that waits."""
    await one.slack.until(lambda: one.hearing.presses.waits(one.door.last.body["press"] or ""))
    assert one.hearing.presses.answer(one.door.last.body["press"], verdict)


@MODES
async def test_a_form_stays_open_until_the_desk_has_had_its_say(tmp_path: Path, mode: str) -> None:
    async with ear(tmp_path, mode=mode) as one:
        ann = one.slack.user("Ann Lee")
        await _opens_form(one, ann)
        errors = {"response_action": "errors", "errors": {"text": "Say more"}}
        sent, _ = await asyncio.gather(ann.submit({"Words": "no"}), _answered(one, errors))
        assert sent.errors == {"text": "Say more"}
        assert one.hearing.presses.fields(one.door.last.body["press"]) == ("text",)
        again, _ = await asyncio.gather(ann.submit({"Words": "no"}), _answered(one, errors))
        assert again.errors == {"text": "Say more"}
        update = {"response_action": "update", "view": {**FORM, "callback_id": "f.42.more"}}
        more, _ = await asyncio.gather(ann.submit({"Words": "yes, this"}), _answered(one, update))
        assert (more.accepted, ann.modals[-1].body["callback_id"]) == (True, "f.42.more")
        last, _ = await asyncio.gather(ann.submit({"Words": "done"}), _answered(one, None))
        assert (last.accepted, ann.modals) == (True, [])
        submitted = [each.what for each in await one.reads() if isinstance(each.what, Submitted)]
        assert [what.values for what in submitted] == [
            (("text", "no"),),
            (("text", "no"),),
            (("text", "yes, this"),),
            (("text", "done"),),
        ]
        assert ann.troubles == []


async def test_a_form_that_nobody_answers_closes_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "ANSWERED_IN", 0.1)
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await _opens_form(one, ann)
        sent = await ann.submit({"Words": "anybody?"})
        assert (sent.accepted, ann.modals) == (True, [])
        assert not one.hearing.presses.answer(one.door.last.body["press"], None)


async def test_the_same_form_sent_twice_has_one_verdict(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await _opens_form(one, ann)
        errors = {"response_action": "errors", "errors": {"text": "Say more"}}

        async def twice() -> Any:
            await one.slack.until(lambda: one.slack.told("view_submission"))
            return await one.slack.deliveries.again(one.slack.told("view_submission")[0])

        async def answer() -> None:
            await one.slack.until(lambda: one.door.told == 3)
            await _answered(one, errors)

        sent, repeated, _ = await asyncio.gather(ann.submit({"Words": "no"}), twice(), answer())
        assert sent.errors == {"text": "Say more"}
        assert repeated.answer == errors
        assert len(one.door.kept) == 2


async def test_a_form_known_from_before_a_restart_closes_at_once(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await _opens_form(one, ann)
        await asyncio.gather(ann.submit({"Words": "done"}), _answered(one, None))
        await one.restart()
        outcome = await one.slack.deliveries.again(one.slack.told("view_submission")[0])
        assert (outcome.reason, outcome.answer) == ("", None)
        assert len(one.door.kept) == 2


# ---- trouble

FAULTS: tuple[Kind, ...] = (
    "429",
    "error",
    "500",
    "503 html",
    "503 empty",
    "200 html",
    "cut before",
    "cut after",
    "truncated",
)


@pytest.mark.parametrize("kind", FAULTS)
async def test_trouble_while_it_begins_only_delays_it(tmp_path: Path, kind: Kind) -> None:
    async with ear(tmp_path, begin=False) as one:
        one.slack.fail("auth.test", kind, 2, retry_after=0)
        one.slack.fail("apps.connections.open", kind, 2, retry_after=0)
        assert "not connected yet" in one.hearing.health().detail
        await one.start()
        await one.hears("hello")
        assert one.hearing.health() == Health(True)


def _troubles(one: Ear) -> list[Trouble]:
    kept = [event.body for event in one.door.kept.values() if event.body["kind"] == hearing.TROUBLE]
    found = [one.hearing.read(body) for body in kept]
    return [each.what for each in found if each is not None and isinstance(each.what, Trouble)]


@pytest.mark.parametrize("word", ["token_revoked", "invalid_auth", "account_inactive"])
async def test_a_token_that_is_not_accepted_is_said_and_those_who_run_the_desk_are_told(
    tmp_path: Path, word: str
) -> None:
    async with ear(tmp_path, begin=False) as one:
        fault = one.slack.fail("auth.test", "error", -1, text=word)
        one.running = asyncio.create_task(one.hearing.run(one.door))
        await one.slack.until(lambda: one.door.kept)
        health = one.hearing.health()
        assert not health.ok
        assert health.detail.startswith(f"slack: Slack does not accept the token ({word})")
        assert one.slack.bot_token not in health.detail
        assert _troubles(one) == [Trouble("shut_out", f"Slack does not accept the token ({word})")]
        where = one.hearing.read(one.door.last.body)
        assert where is not None
        assert where.where == Address("slack", one.account.staff_rooms[0])
        calls = len(one.slack.called("auth.test"))
        await one.slack.until(lambda: len(one.slack.called("auth.test")) > calls + 2)
        assert len(one.door.kept) == 1
        fault.times = 1
        await one.slack.connected(2)
        await one.hears("hello")


async def test_an_app_that_is_taken_away_is_noticed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "WATCH", 60.0)
    async with ear(tmp_path) as one:
        await one.hears("hello")
        await one.slack.uninstall()
        await one.slack.until(lambda: "account_inactive" in one.hearing.health().detail)


async def test_a_token_revoked_without_a_word_is_noticed_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "MEET", 0.0)
    async with ear(tmp_path) as one:
        await one.hears("hello")
        one.slack.revoked = True
        await one.slack.until(lambda: "token_revoked" in one.hearing.health().detail)
        one.later += hearing.HICCUP
        await one.slack.until(lambda: _troubles(one))
        assert not one.hearing.health().ok
        one.slack.revoked = False
        await one.slack.until(lambda: one.hearing.health() == Health(True))


async def test_missing_scopes_are_said_and_told_once(tmp_path: Path) -> None:
    async with ear(tmp_path, begin=False) as one:
        one.slack.scopes -= {"files:write", "reactions:read"}
        await one.start()
        words = "slack: the app lacks the scopes files:write, reactions:read: install it again"
        await one.slack.until(lambda: one.hearing.health() == Health(True, note=words))
        await one.slack.until(lambda: _troubles(one))
        await one.hears("hello")
        await one.restart()
        await one.hears("hello again")
        assert len(_troubles(one)) == 1


async def test_nothing_that_people_say_and_no_secret_reaches_the_logs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for mode in ("socket", "http"):
        async with ear(tmp_path / mode, mode=mode, time_scale=0.01, patience=0.1) as one:
            for kind in FAULTS:
                one.slack.fail("users.info", kind, retry_after=0)
            one.door.shut = True
            ann = one.slack.user("Ann Lee")
            await ann.send("Xyzzy")
            await (await ann.command("/desk new Xyzzy")).done()
            one.door.shut = False
            await one.slack.settled(10)
            for event in one.door.kept.values():
                for _ in FAULTS:
                    try:
                        await one.hearing.learn(event.body)
                    except TemporaryError as error:
                        logging.getLogger("seen").warning("%s", error)
            if mode == "socket":
                one.slack.fail("apps.connections.open", "error", 1, text="invalid_auth")
                one.slack.sockets.cut()
                await one.slack.connected(2)
    told = caplog.text
    for secret in ("Xyzzy", one.slack.bot_token, one.slack.app_token, one.slack.signing_secret, "ticket="):
        assert secret not in told


# ---- what Slack's errors mean


async def _refusal(one: Ear) -> TemporaryError | PermanentError:
    try:
        with faults.translated():
            await one.client.web.chat_postMessage(channel=one.town.id, text="Xyzzy")
    except (TemporaryError, PermanentError) as error:
        return error
    raise AssertionError("it was posted")


async def test_a_refusal_is_what_it_means_for_the_desk(tmp_path: Path) -> None:
    async with ear(tmp_path, begin=False) as one:
        for words, code in {
            "channel_not_found user_disabled": "gone",
            "message_not_found edit_window_closed cant_update_message": "gone",
            "not_in_channel is_archived restricted_action missing_scope": "forbidden",
            "messages_tab_disabled cannot_dm_bot": "blocked",
            "file_too_large": "too_large",
            "msg_too_long invalid_blocks msg_blocks_too_long something_new expired_trigger_id": "refused",
        }.items():
            for word in words.split():
                one.slack.fail("chat.postMessage", "error", text=word)
                refusal = await _refusal(one)
                assert isinstance(refusal, PermanentError), word
                assert (refusal.code, "Xyzzy" in str(refusal)) == (code, False), word
        one.slack.fail("chat.postMessage", "error", text="edit_window_closed")
        assert isinstance(await _refusal(one), faults.Lost)
        one.slack.fail("chat.postMessage", "error", text="expired_trigger_id")
        assert isinstance(await _refusal(one), faults.TooLate)
        one.slack.fail("chat.postMessage", "error", text="token_revoked")
        assert isinstance(await _refusal(one), faults.ShutOut)


@pytest.mark.parametrize(
    ("kind", "unknown", "delay"),
    [
        ("429", False, 7.0),
        ("500", True, None),
        ("503 html", True, None),
        ("503 empty", True, None),
        ("200 html", True, None),
        ("truncated", True, None),
        ("cut before", True, None),
        ("cut after", True, None),
    ],
)
async def test_trouble_says_whether_it_may_have_been_done(
    tmp_path: Path, kind: Kind, unknown: bool, delay: float | None
) -> None:
    async with ear(tmp_path, begin=False) as one:
        one.slack.fail("chat.postMessage", kind, retry_after=7)
        trouble = await _refusal(one)
        assert isinstance(trouble, TemporaryError)
        assert trouble.unknown == unknown
        assert (trouble.delay.total_seconds() if trouble.delay else None) == delay


async def test_what_never_reached_slack_was_not_done(tmp_path: Path) -> None:
    async with ear(tmp_path, begin=False) as one:
        await one.slack.go_down()
        trouble = await _refusal(one)
        assert isinstance(trouble, TemporaryError)
        assert not trouble.unknown
        await one.slack.come_back()
