"""One person in several messengers: a code crosses from one to another, and all that is theirs follows."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import i18n
from bot.message import Words
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import Identity, TicketId
from core.people import store as people
from core.people.model import Person
from core.tickets import store as tickets
from tests.emulators.slack import Interaction
from tests.emulators.slack import User as SlackUser
from tests.test_together import Desk, opened

IVAN, OLGA, ANNA = (
    Identity.parse(each) for each in ("telegram:501", "slack:T0ACME/U0505", "slack:T0ACME/U0502")
)
CODE = re.compile(r"/link ([2-9A-Z]{8})\b")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as found:
        yield found


async def who(desk: Desk, account: Identity) -> Person | None:
    return await desk.database.read(lambda tx: people.by_identity(tx, account))


async def slash(desk: Desk, user: SlackUser, line: str) -> Interaction:
    act = await user.command(line)
    await desk.settle()
    return act


def said_to(desk: Desk, user: SlackUser) -> str:
    """Everything this person reads of the desk in private, however it came to them."""
    shown = [*user.dm.messages, *user.dm.private_to(user)]
    return "\n".join([each.shown for each in shown])


async def yes(desk: Desk, user: SlackUser) -> None:
    """Press that the account is theirs, wherever they were asked."""
    shown = [*user.dm.messages, *user.dm.private_to(user)]
    asked = next(each for each in reversed(shown) if "Yes, it is mine" in each.buttons)
    await user.press(asked, "Yes, it is mine")
    await desk.settle()


async def ivans_code(desk: Desk) -> str:
    await desk.ivan.send("/link")
    await desk.settle()
    found = CODE.search(desk.ivan.chat.last.text)
    assert found is not None
    return found[1]


async def test_a_code_of_telegram_written_in_slack_joins_both(desk: Desk) -> None:
    await desk.report()
    code = await ivans_code(desk)
    assert f"/desk link {code}" in desk.ivan.chat.last.text
    await slash(desk, desk.olga, f"/desk link {code}")
    await yes(desk, desk.olga)
    ivan = await who(desk, IVAN)
    assert ivan is not None
    assert ivan == await who(desk, OLGA)
    assert "slack:T0ACME/U0505" in desk.ivan.chat.last.text
    assert "Unlink Slack (slack:T0ACME/U0505)" in desk.ivan.chat.last.buttons
    assert not any(code in each.text for each in desk.ivan.chat.messages if each.sender is not desk.ivan)


async def test_a_code_of_slack_written_in_telegram_joins_both_and_can_be_undone(desk: Desk) -> None:
    await desk.report()
    await slash(desk, desk.olga, "/desk link")
    found = CODE.search(said_to(desk, desk.olga))
    assert found is not None
    await desk.ivan.send(f"/link {found[1]}")
    await desk.settle()
    await desk.press("Yes, it is mine")
    ivan = await who(desk, IVAN)
    assert ivan is not None
    assert ivan == await who(desk, OLGA)
    assert "telegram:501" in said_to(desk, desk.olga)
    assert await requester(desk) == ivan.id
    [told] = [each for each in desk.olga.dm.messages if "telegram:501" in each.shown]
    await (await desk.olga.press(told, "Unlink Telegram (telegram:501)")).done()
    await desk.settle()
    assert await who(desk, IVAN) is None
    assert "on its own now" in desk.ivan.chat.last.text
    assert await requester(desk) == ivan.id

    copy = desk.group.saying("VPN drops")
    await desk.boris.send("/reply Is it better?", chat=desk.group, thread=copy.thread)
    await desk.settle()
    assert not any("Is it better?" in each.text for each in desk.ivan.chat.messages)
    assert any("Is it better?" in each.shown for each in desk.olga.dm.history)


async def requester(desk: Desk) -> int:
    async def look(tx: Transaction) -> int:
        return (await tickets.get(tx, TicketId(1))).requester

    return await desk.database.read(look)


async def test_an_agent_of_slack_is_the_same_agent_in_telegram(desk: Desk) -> None:
    await desk.report()
    await slash(desk, desk.anna, "/desk link")
    found = CODE.search(said_to(desk, desk.anna))
    assert found is not None
    olegs = desk.telegram.user(777, "Oleg", language_code="en", started=True)
    await olegs.send("/queue")
    await desk.settle()
    assert "support team" in olegs.chat.last.text
    await olegs.send(f"/link {found[1]}")
    await desk.settle()
    await olegs.press(olegs.chat.last, "Yes, it is mine")
    await desk.settle()
    await olegs.send("/take 1")
    await desk.settle()
    assert "Anna Smirnova" in desk.channel.saying("VPN drops").shown
    await olegs.send("/whoami")
    await desk.settle()
    assert "Anna Smirnova" in olegs.chat.last.text
    assert str(ANNA) in olegs.chat.last.text


async def test_in_a_telegram_group_a_code_is_given_in_private_and_none_is_taken(desk: Desk) -> None:
    await desk.boris.send("/link", chat=desk.group)
    await desk.settle()
    assert CODE.search(desk.boris.chat.last.text)
    assert not any(CODE.search(each.text) for each in desk.group.messages)
    code = await ivans_code(desk)
    await desk.boris.send(f"/link {code}", chat=desk.group)
    await desk.settle()
    assert "others would read it" in desk.boris.chat.last.text
    await slash(desk, desk.olga, f"/desk link {code}")
    assert await who(desk, OLGA) != await who(desk, IVAN)


def test_the_words_used_here_are_the_desks() -> None:
    def told(key: str, **facts: str) -> str:
        return i18n.word(Words(key, facts), "en", time_zone="UTC", now=HandClock().now())

    assert told("button.unlink", account="Slack (x)") == "Unlink Slack (x)"
    assert "on its own now" in told("unlink.gone")
    assert "others would read it" in told("link.in_public")
    assert "support team" in told("right.staff_command", command="/queue")
