"""The checker finds nothing after a good day, and each thing that is tampered with."""

import asyncio
import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot import export
from tests import town as towns
from tests.faults import checker
from tests.faults.checker import Evidence, Said, check
from tests.town import Town

SECRET = "a-secret-of-the-desk"
IVAN, THREAD = "web:u-ivan", "the thread"
Tamper = Callable[[Evidence], Evidence]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Nobody changes it."""

    async def day() -> Evidence:
        async with towns.town(tmp_path_factory.mktemp("good")) as town:
            return await evidence(town)

    return asyncio.run(day())


async def evidence(town: Town) -> Evidence:
    """What is known of one ticket that was pinged for, taken, talked about and closed."""
    ivan, anna = town["ivan"], town["anna"]
    said = []

    async def one(nonce: str, conversation: str, kind: Any = "request", read_in: str = "") -> str:
        said.append(Said(nonce, conversation, kind, read_in))
        return nonce

    await ivan.say(f"VPN drops {await one('q1z', IVAN)}")
    for label in ("The office", "Only me", "Skip", "Nobody can work", "Send"):
        await ivan.press(label)
    await town.later(timedelta(seconds=16))
    await anna.press("Take it")
    for nonce in ("q2z", "q3z"):
        await anna.fill("Reply", text=f"try this {await one(nonce, THREAD, 'reply', IVAN)}")
    for nonce in ("q4z", "q5z"):
        await ivan.say(f"no luck {await one(nonce, IVAN, 'request', THREAD)}")
    await anna.say(f"/resolve 1 mended {await one('q6z', 'solution', 'resolution')}")
    await ivan.press("Yes, it is fixed")
    shown = {
        IVAN: [each.text for each in await ivan.sees() if not each.mine],
        THREAD: [each.text for each in await anna.thread(1)],
    }
    document = export.plain(await town.database.read(export.everything))
    return Evidence(
        document, said, shown, Counter({1: 1}), secrets=[SECRET], places={"the log": "words"}, ready=True
    )


def test_a_good_day_leaves_nothing_to_find(good: Evidence) -> None:
    assert check(good) == []
    assert len(good.tickets[0]["pings"]) == 1
    assert checker.copies(good) == 0


def exported(change: Callable[[dict[str, Any]], object]) -> Tamper:
    """With the first ticket of the export changed."""

    def tamper(good: Evidence) -> Evidence:
        document = copy.deepcopy(dict(good.export))
        change(document["tickets"][0])
        return replace(good, export=document)

    return tamper


def read(where: str, change: Callable[[list[str]], object]) -> Tamper:
    """With other things shown in a conversation."""

    def tamper(good: Evidence) -> Evidence:
        shown = {place: list(texts) for place, texts in good.shown.items()}
        change(shown[where])
        return replace(good, shown=shown)

    return tamper


def message(ticket: dict[str, Any], nonce: str) -> int:
    return next(at for at, each in enumerate(ticket["messages"]) if nonce in each["text"])


def swap(things: list[Any], one: int, other: int) -> None:
    things[one], things[other] = things[other], things[one]


def swap_messages(ticket: dict[str, Any], one: str, other: str) -> None:
    swap(ticket["messages"], message(ticket, one), message(ticket, other))


def reading(texts: list[str], nonce: str) -> int:
    return next(at for at, text in enumerate(texts) if nonce in text)


def after_the_claim(ticket: dict[str, Any]) -> None:
    kinds = [event["kind"] for event in ticket["timeline"]]
    swap(ticket["timeline"], kinds.index("pinged"), kinds.index("claimed"))


def by_nobody(ticket: dict[str, Any]) -> None:
    next(event for event in ticket["timeline"] if event["kind"] == "claimed")["actor"] = None


TAMPERED: dict[str, tuple[str, Tamper]] = {
    "a word is gone": ("lost", exported(lambda t: t["messages"].pop(message(t, "q4z")))),
    "the solution is gone": ("lost", exported(lambda t: t.update(resolution="mended"))),
    "the ticket is gone": ("lost", lambda good: replace(good, export={**good.export, "tickets": []})),
    "a word stands there twice": (
        "doubled",
        exported(lambda t: t["messages"].append(t["messages"][message(t, "q5z")])),
    ),
    "the whole ticket stands there twice": (
        "doubled",
        lambda good: replace(good, export={**good.export, "tickets": [*good.tickets, *good.tickets]}),
    ),
    "words were swapped": ("disordered", exported(lambda t: swap_messages(t, "q4z", "q5z"))),
    "replies were swapped": ("disordered", exported(lambda t: swap_messages(t, "q2z", "q3z"))),
    "somebody said what nobody said": (
        "unlikely",
        exported(lambda t: t["messages"][0].update(text="VPN drops q1z q99z")),
    ),
    "a reply went nowhere": (
        "lost",
        exported(lambda t: t["messages"][message(t, "q2z")].update(delivered=[])),
    ),
    "a reply was never read": ("lost", read(IVAN, lambda texts: texts.pop(reading(texts, "q3z")))),
    "an answer was never read": ("lost", read(THREAD, lambda texts: texts.pop(reading(texts, "q4z")))),
    "a reply was read twice": (
        "doubled",
        read(IVAN, lambda texts: texts.append(texts[reading(texts, "q3z")])),
    ),
    "replies were read in another order": (
        "disordered",
        read(IVAN, lambda texts: swap(texts, reading(texts, "q2z"), reading(texts, "q3z"))),
    ),
    "a ping was decided twice": ("doubled", exported(lambda t: t["pings"].append(t["pings"][0]))),
    "a ping was shown twice": ("doubled", lambda good: replace(good, pings=Counter({1: 2}))),
    "a ping went nowhere": ("lost", exported(lambda t: t["pings"][0].update(delivered=[], answer=None))),
    "somebody was pinged after the claim": ("unlikely", exported(after_the_claim)),
    "the status is another": ("unlikely", exported(lambda t: t.update(status="open"))),
    "the owner is another": ("unlikely", exported(lambda t: t.update(owner=77))),
    "an event is gone": ("unlikely", exported(lambda t: t["timeline"].pop())),
    "the desk took it by itself": ("unlikely", exported(by_nobody)),
    "a secret stands in the log": (
        "leaked",
        lambda good: replace(good, places={"the log": f"POST /bot{SECRET}/getMe"}),
    ),
    "it says that it is not well": ("unwell", lambda good: replace(good, ready=False)),
}


@pytest.mark.parametrize("how", list(TAMPERED))
def test_what_is_tampered_with_is_found(good: Evidence, how: str) -> None:
    what, tamper = TAMPERED[how]
    found = check(tamper(good))
    assert what in {finding.what for finding in found}, found
    assert all(str(finding) for finding in found)


def test_a_copy_for_an_answer_that_was_lost_is_allowed_and_one_more_is_not(good: Evidence) -> None:
    allowed = [replace(each, copies=1) if each.nonce == "q3z" else each for each in good.said]
    twice = read(IVAN, lambda texts: texts.append(texts[reading(texts, "q3z")]))(replace(good, said=allowed))
    assert check(twice) == []
    assert checker.copies(twice) == 1
    thrice = read(IVAN, lambda texts: texts.append(texts[reading(texts, "q3z")]))(twice)
    assert [finding.what for finding in check(thrice)] == ["doubled"]


def test_what_nobody_acknowledged_may_be_missing_but_not_be_there_twice(good: Evidence) -> None:
    unsure = Said("q7z", IVAN, sure=False)
    missing = replace(good, said=[*good.said, unsure])
    assert check(missing) == []
    last = {"text": "q7z q7z"}
    twice = exported(lambda t: t["messages"].append({**t["messages"][0], **last}))(missing)
    assert [finding.what for finding in check(twice)] == ["doubled"]


def test_a_reply_that_visibly_waits_is_not_lost(good: Evidence) -> None:
    gone = read(IVAN, lambda texts: texts.pop(reading(texts, "q3z")))(
        exported(lambda t: t["messages"][message(t, "q3z")].update(delivered=[]))(good)
    )
    assert {finding.what for finding in check(gone)} == {"lost"}
    number = good.tickets[0]["messages"][message(dict(good.tickets[0]), "q3z")]["id"]
    waiting = {"events": [], "parcels": [{"message": number, "slot": None, "state": "uncertain"}]}
    assert check(replace(gone, export={**gone.export, "waiting": waiting})) == []
