"""What time does not mend: tried once, told to those who can act on it, and nothing is stuck behind it."""

import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.adapters.port import Reader
from bot.adapters.slack import presses
from bot.message import Plain, say
from core.kernel.errors import TemporaryError
from core.kernel.ids import Address, Identity
from tests import databases
from tests.emulators.slack import File, Message
from tests.emulators.slack.files import Stored
from tests.slack import mail
from tests.slack.mail import states
from tests.slack.rig import TEAM, Rig, rig

VPN = "VPN drops every ten minutes"


async def taken(t: Rig) -> tuple[Message, Message]:
    """A ticket of Ivan's, taken by Anna; returns the first message of its thread, and its card."""
    root = await t.report(VPN)
    card = t.card(1)
    await t.press(t.anna, "Take it", card)
    return root, card


async def reply(t: Rig, words: str) -> None:
    """Anna writes to the requester, and some time goes by."""
    await t.command(t.anna, f"/desk reply 1 {words}", t.triage)
    for _ in range(5):
        await t.later(timedelta(minutes=1))


def warnings(card: Message) -> list[str]:
    return [each.shown for each in card.replies if "⚠️" in each.shown]


# ---- the requester cannot be reached


@pytest.mark.parametrize(
    "word",
    [
        "channel_not_found",
        "messages_tab_disabled",
        "restricted_action",
        "missing_scope",
        "msg_blocks_too_long",
        "never_heard_of",
    ],
)
async def test_a_reply_that_is_refused_is_tried_once_and_the_ticket_says_so(
    tmp_path: Path, word: str
) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        before = len(mail.posts(t, t.ivan.dm))
        t.slack.fail("chat.postMessage", "error", channel=t.ivan.dm.id, text=word)
        await reply(t, "poison")
        assert len(mail.posts(t, t.ivan.dm)) == before + 1
        assert len(warnings(card)) == 1
        await reply(t, "medicine")
        assert "medicine" in t.ivan.dm.last.shown
        assert "poison" not in t.heard_by(t.ivan)
        assert len(warnings(card)) == 1


async def test_somebody_who_has_left_the_company_is_not_written_to_and_the_ticket_says_so(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        before = len(t.ivan.dm.messages)
        await t.ivan.deactivate()
        await t.settle()
        await reply(t, "Please restart it")
        assert len(t.ivan.dm.messages) == before
        assert len(warnings(card)) == 1
        await t.say(t.anna, "just between us", thread=card)
        found = set(await states(t))
        assert found <= {"sent", "dead", "dropped"}
        assert found & {"dead", "dropped"}


# ---- the agents' channel


async def test_while_the_channel_is_archived_the_admin_knows_and_afterwards_everything_is_there(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as t:
        root, card = await taken(t)
        await t.triage.archive()
        await t.settle()
        assert "triage" in t.maria.dm.last.shown
        for number in range(3):
            await t.say(t.ivan, f"word {number}", thread=root)
        await t.later(timedelta(minutes=5))
        posted = len(mail.posts(t, t.triage))
        for _ in range(5):
            await t.later(timedelta(minutes=5))
        assert len(mail.posts(t, t.triage)) == posted
        assert set(await states(t)) == {"sent", "dead"}
        await t.triage.unarchive()
        await t.settle()
        words = [each.shown.splitlines()[-1] for each in card.replies if "word" in each.shown]
        assert words == ["word 0", "word 1", "word 2"]
        assert set(await states(t)) == {"sent"}


async def test_when_the_app_is_removed_from_the_channel_requesters_are_served_all_the_same(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as t:
        root, card = await taken(t)
        await t.triage.drop_member(t.slack.bot)
        await t.settle()
        assert "triage" in t.maria.dm.last.shown
        await t.say(t.ivan, "it is worse today", thread=root)
        other = await t.report("VPN is down at home")
        assert "#2" in other.replies[-1].shown
        await t.triage.invite(t.slack.bot)
        await t.settle()
        assert "it is worse today" in "".join(each.shown for each in card.replies)
        assert "VPN is down at home" in t.card(2).shown


# ---- what can not be edited any more


async def test_a_card_that_can_not_be_edited_any_more_is_shown_anew_once(tmp_path: Path) -> None:
    async with rig(tmp_path, edit_window=3600) as t:
        root = await t.report(VPN)
        old = t.card(1)
        await t.later(timedelta(hours=2))
        await t.say(t.ivan, "any news?", thread=root)
        await t.command(t.anna, "/desk take 1", t.triage)
        card = t.card(1)
        assert card is not old
        assert "Anna Smirnova" in card.shown
        assert len([each for each in t.triage.from_bot if "#1 VPN" in each.shown]) == 2
        await t.press(t.anna, "Resolve", card)
        await t.fill(t.anna, {t.word("form.solution"): "Reinstalled the driver"})
        assert len([each for each in t.triage.from_bot if "#1 VPN" in each.shown]) == 2
        assert set(await states(t)) <= {"sent", "dropped"}


async def test_a_reply_that_can_not_be_taken_back_any_more_stops_nobody(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        await t.command(t.anna, "/desk reply 1 the wrong words", t.triage)
        copy = next(each for each in card.replies if "the wrong words" in each.shown)
        t.slack.fail("chat.delete", "error", text="cant_delete_message")
        await t.press(t.anna, t.word("button.undo"), copy)
        await reply(t, "the right words")
        assert "the right words" in t.ivan.dm.last.shown


# ---- answers to presses that come too late


def whispers(t: Rig, user: object) -> list[str]:
    return [each.shown for each in t.triage.private_to(user)]  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id"])
async def test_a_form_that_slack_opens_no_more_is_told_in_a_whisper(tmp_path: Path, word: str) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        t.slack.fail("views.open", "error", text=word)
        await t.press(t.anna, "Reply", card)
        assert t.anna.modals == []
        assert whispers(t, t.anna) == [t.word("press.too_late")]
        await t.press(t.anna, "Reply", card)
        assert (await t.anna.modal()).title == t.word("form.reply_title", ticket=1)


HOLD = "A long explanation that took five minutes to type"


async def test_a_form_that_stood_open_over_a_restart_says_what_is_wrong_in_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        await t.press(t.anna, t.word("button.hold"), card)
        await t.restart()
        wrong = await t.fill(t.anna, {t.word("form.until"): "whenever", t.word("form.note"): HOLD})
        assert list(wrong.values()) == [t.word("when.instant")]
        assert await t.fill(t.anna, {t.word("form.until"): "18:00"}) == {}
        assert HOLD in t.told(1)


async def test_a_form_kept_before_a_restart_and_refused_after_it_gives_the_words_back(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        await t.press(t.anna, t.word("button.hold"), card)
        await t.anna.submit({t.word("form.until"): "whenever", t.word("form.note"): HOLD})
        await t.restart()
        await t.settle()
        [told] = whispers(t, t.anna)
        assert t.word("when.instant") in told
        assert HOLD in told
        assert set(await states(t)) <= {"sent", "dropped"}


async def test_a_form_asked_for_too_long_ago_is_not_even_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        with monkeypatch.context() as patch:
            patch.setattr(presses, "TRIGGER_FOR", 0.0)
            await t.press(t.anna, "Reply", card)
        assert t.slack.called("views.open") == []
        assert whispers(t, t.anna) == [t.word("press.too_late")]


@pytest.mark.parametrize("kind", ["error", "cut before", "500"])
async def test_where_the_commands_own_address_takes_no_answer_the_channel_does(
    tmp_path: Path, kind: str
) -> None:
    async with rig(tmp_path) as t:
        await taken(t)
        t.slack.fail("response_url", kind, -1, text="used_url")  # type: ignore[arg-type]
        await t.command(t.boris, "/desk take 99", t.triage)
        assert len(whispers(t, t.boris)) == 1
        assert len(t.slack.called("chat.postEphemeral")) == 1


async def test_what_cannot_be_whispered_where_it_was_asked_is_said_in_private(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        away = t.slack.channel("elsewhere", members=[t.boris], bot=False)
        t.slack.fail("response_url", "error", -1, text="used_url")
        t.slack.fail("chat.postMessage", "cut after", channel=t.boris.dm.id)
        await t.command(t.boris, "/desk take 99", away)
        await t.later(timedelta(seconds=5))
        assert len(t.boris.dm.from_bot) == 1
        assert len(mail.posts(t, t.boris.dm)) == 1


async def test_a_long_whisper_that_broke_off_goes_on_where_it_did(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        adapter, where = t.house.adapters["slack"], Address.parse(mail.room(t.triage))
        reader = Reader("en", "UTC", only=Identity("slack", f"{TEAM}/{t.boris.id}"))
        long = say(*(Plain(f"{number} {'words ' * 480}") for number in range(12)))
        t.slack.fail("chat.postEphemeral", "500", skip=1)
        with pytest.raises(TemporaryError):
            await adapter.post(where, long, reader, "one")
        await adapter.post(where, long, reader, "one")
        assert sum(words.count("words") for words in whispers(t, t.boris)) == 12 * 480


# ---- secrets


@contextlib.asynccontextmanager
async def stranger() -> AsyncIterator[tuple[str, list[str]]]:
    """A server that is not Slack's; its address, and who has shown it what."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        return web.Response(body=b"something else", content_type="image/png")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "address",
    [
        "{stranger}/file.png",
        "http://files.slack.com/file.png",
        "https://evilslack.com/file.png",
        "https://slack.com.example.org/file.png",
        "https://files.slack.com@127.0.0.1/file.png",
        "//files.slack.com/file.png",
        "/file.png",
        "",
    ],
)
async def test_a_file_that_is_not_at_slack_is_not_fetched(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as t, stranger() as (foreign, seen):
        told, url = Stored.json, address.format(stranger=foreign)
        moved = {"url_private": url, "url_private_download": url}
        monkeypatch.setattr(Stored, "json", lambda self, *args, **more: told(self, *args, **more) | moved)
        await t.say(t.ivan, "VPN is down", files=[File("screen.png", b"\x89PNG")])
        assert seen == []
        assert t.ivan.dm.last.by_bot


async def test_whoever_is_pointed_at_by_slack_itself_is_not_shown_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as t, stranger() as (foreign, seen):

        async def moved(*_: object) -> web.Response:
            return web.Response(status=302, headers={"Location": f"{foreign}/file.png"})

        monkeypatch.setattr(t.slack.server, "_file", moved)
        await t.say(t.ivan, "VPN is down", files=[File("screen.png", b"\x89PNG")])
        assert seen == [""]


async def test_no_trouble_whatever_brings_a_secret_into_the_logs_or_the_database(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with rig(tmp_path) as t:
        _, card = await taken(t)
        for kind in ("error", "500", "503 html", "cut before", "cut after", "truncated", "429", "200 html"):
            for method in ("chat.*", "views.*", "response_url", "conversations.*"):
                t.slack.fail(method, kind, text="fatal_error")  # type: ignore[arg-type]
            await t.command(t.boris, "/desk take 99", t.triage)
            await t.press(t.anna, "Reply", card)
            await t.later(timedelta(minutes=6))
        secrets = [
            t.slack.bot_token,
            t.slack.app_token,
            t.slack.signing_secret,
            *t.slack.interactions.addresses,
        ]
        secrets += t.slack.interactions.triggers
        told = caplog.text
        kept = databases.content(t.path)
    assert [secret for secret in secrets if secret in told or secret in kept] == []
