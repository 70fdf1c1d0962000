"""The life of a ticket: which move is legal when, written down by hand, and what each leaves behind."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import i18n
from bot.flows import phrases
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.people import store as people
from core.people.model import DESK, Actor
from core.tickets import actions as tickets
from core.tickets import model, queries, store
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Answer, Status, Ticket
from tests.town import Town
from tests.town import town as opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LETTERS = dict(zip("NOWHRC", Status, strict=True))

MOVES = """
             N O W H R C
opened       . . . . . .
claimed      O O W H - -
released     - N W H - -
passed       O O W H - -
said         N O O H O -
thanked      N O W H R C
replied      N O W H R -
noted        N O W H R C
waited       - W W W - -
held         H H H H - -
resumed      - - O O - -
resolved     R R R R - -
confirmed    - - - - C -
reopened     - - - - O O
closed       - - - - C -
prioritised  N O W H R -
levelled     N O W H R -
progressed   - O W H - -
emergency    N O O O - -
calmed       N O W H R C
requeued     N O W H R C
withdrawn    N O W H R C
edited       N O W H R C
deleted      N O W H R C
moved        N O W H R C
pinged       N O W H R C
promised     N O W H R C
snoozed      N O W H R C
undelivered  N O W H R C
rehomed      N O W H R C
rated        N O W H R C
commented    N O W H R C
merged       C C C C C -
unmerged     - - - - - O
absorbed     N O W H R C
detached     N O W H R C
related      N O W H R C
unrelated    N O W H R C
joined       N O W H R C
left         N O W H R C
adopted      N O W H R C
inherited    N O W H R C
parted       N O W H R C
reacted      N O W H R C
logged       N O W H R C
hushed       N O W H R C
flooded      N O W H R C
"""
"""In which status what leads where; a dash: not now, and the person is told what to do first. What is new is
nobody's: whoever answers it takes it first."""

CELLS = [
    (row.split()[0], LETTERS[status], cell)
    for row in MOVES.strip().splitlines()[1:]
    for status, cell in zip("NOWHRC", row.split()[1:], strict=True)
    if cell != "."
]
FACTS: Mapping[str, Mapping[str, Any]] = {
    "claimed": {"owner": 7},
    "passed": {"owner": 8},
    "held": {"until": None},
    "prioritised": {"priority": "low"},
    "levelled": {"level": "L2"},
    "emergency": {"priority": "critical"},
    "calmed": {"priority": "low"},
    "requeued": {"queue": "support"},
    "rehomed": {"home": "telegram:7"},
    "parted": {"home": "telegram:7"},
    "adopted": {"requester": 9},
    "inherited": {"owner": 9},
    "merged": {"into": 17},
    "related": {"ticket": 17},
    "unrelated": {"ticket": 17},
}


def opening() -> Event:
    return Event(
        TicketId(1),
        "opened",
        NOW,
        PersonId(1),
        "web",
        {
            "title": "VPN",
            "type": "network",
            "queue": "network",
            "priority": "high",
            "requester": 1,
            "home": "web:u-ivan",
            "answers": [],
        },
    )


def ticket(status: Status, owner: int | None = 7) -> Ticket:
    fresh = model.opened(opening())
    owned = None if status is Status.NEW else owner
    return replace(fresh, status=status, owner=None if owned is None else PersonId(owned))


def event(kind: str) -> Event:
    return Event(TicketId(1), kind, NOW + timedelta(minutes=1), PersonId(7), "web", FACTS.get(kind, {}))


@pytest.mark.parametrize(("kind", "status", "cell"), CELLS)
def test_every_event_in_every_status_leads_where_the_table_says_or_is_refused(
    kind: str, status: Status, cell: str
) -> None:
    before = ticket(status)
    if cell != "-":
        model.check(before, kind)
        assert model.evolve(before, event(kind)).status is LETTERS[cell]
        return
    with pytest.raises(UserError) as refused:
        model.check(before, kind)
    for language in i18n.languages:
        words = i18n.word(phrases.error(refused.value), language, time_zone="UTC", now=NOW)
        assert "#1" in words


def test_the_table_here_and_the_one_in_the_code_know_the_same_events() -> None:
    from core.reactions import REACTIONS

    assert {row.split()[0] for row in MOVES.strip().splitlines()[1:]} == set(REACTIONS)
    assert set(model.MOVES) <= set(REACTIONS)


@pytest.mark.parametrize("kind", ["said", "resumed"])
def test_what_comes_back_to_nobody_is_new_again(kind: str) -> None:
    back = model.evolve(ticket(Status.WAITING, owner=None), event(kind))
    assert (back.status, back.unclaimed_since) == (Status.NEW, NOW)


@pytest.mark.parametrize(
    ("kinds", "unanswered", "unclaimed"),
    [
        ([], 0, 0),
        (["claimed"], 0, None),
        (["replied"], None, 0),
        (["replied", "said"], 2, 0),
        (["replied", "said", "said"], 2, 0),
        (["claimed", "replied", "said", "replied"], None, None),
        (["claimed", "released"], 0, 2),
        (["thanked"], 0, 0),
        (["replied", "thanked"], None, 0),
        (["resolved"], None, None),
        (["claimed", "resolved", "reopened"], 3, None),
        (["resolved", "confirmed", "reopened"], 3, 3),
        (["claimed", "resolved", "said"], 3, None),
        (["held"], 0, 0),
    ],
)
def test_since_when_it_is_unanswered_and_unclaimed(
    kinds: list[str], unanswered: int | None, unclaimed: int | None
) -> None:
    """Minutes after it was opened, each event one minute after the other."""
    state = ticket(Status.NEW)
    for minute, kind in enumerate(kinds, start=1):
        model.check(state, kind)
        state = model.evolve(state, replace(event(kind), at=NOW + timedelta(minutes=minute)))
    expected = [None if each is None else NOW + timedelta(minutes=each) for each in (unanswered, unclaimed)]
    assert [state.unanswered_since, state.unclaimed_since] == expected


def said_and_undone(*steps: str) -> list[Event]:
    """A timeline, a minute from one to the next; `replied 2`, `waited 2`, `withdrawn 2`: all of message 2."""
    timeline = [opening()]
    for minute, (kind, *message) in enumerate((step.split() for step in steps), start=1):
        facts = {**FACTS.get(kind, {}), **({"message": int(message[0])} if message else {})}
        timeline.append(replace(event(kind), at=NOW + timedelta(minutes=minute), facts=facts))
    return timeline


@pytest.mark.parametrize(
    ("steps", "status", "replied", "unanswered"),
    [
        (("claimed", "replied 2", "withdrawn 2"), "O", None, 0),
        (("claimed", "replied 2", "replied 3", "withdrawn 2"), "O", 3, None),
        (("claimed", "replied 2", "replied 3", "withdrawn 3"), "O", 2, None),
        (("claimed", "replied 2", "replied 3", "withdrawn 3", "withdrawn 2"), "O", None, 0),
        (("claimed", "replied 2", "said", "replied 3", "withdrawn 3"), "O", 2, 3),
        (("claimed", "replied 2", "said", "withdrawn 2"), "O", None, 0),
        (("claimed", "replied 2", "waited 2", "withdrawn 2"), "O", None, 0),
        (("claimed", "replied 2", "waited 2", "said", "withdrawn 2"), "O", None, 0),
        (("claimed", "replied 2", "waited 2", "waited", "withdrawn 2"), "W", None, 0),
        (("claimed", "waited", "replied 2", "withdrawn 2"), "W", None, 0),
        (("claimed", "held", "replied 2", "waited 2", "withdrawn 2"), "H", None, 0),
        (("claimed", "replied 2", "waited 2", "released", "withdrawn 2"), "N", None, 0),
        (("claimed", "replied 2", "resolved", "withdrawn 2"), "R", None, None),
        (("claimed", "replied 2", "resolved", "confirmed", "withdrawn 2"), "C", None, None),
        (("claimed", "replied 2", "withdrawn 2", "replied 3"), "O", 4, None),
    ],
)
def test_a_reply_taken_back_leaves_the_ticket_as_if_it_had_never_been_sent(
    steps: tuple[str, ...], status: str, replied: int | None, unanswered: int | None
) -> None:
    before, undone = said_and_undone(*steps), model.fold(model.standing(said_and_undone(*steps)))
    expected = [None if each is None else NOW + timedelta(minutes=each) for each in (replied, unanswered)]
    assert undone.status is LETTERS[status]
    assert [undone.replied_at, undone.unanswered_since] == expected
    state = model.opened(before[0])
    for place, each in enumerate(before[1:], start=2):
        if each.kind == "withdrawn":
            each = replace(each, facts=model.restoring(before[: place - 1], each.facts["message"]))
        state = model.evolve(state, each)
    assert (state.status, state.replied_at, state.unanswered_since) == (
        undone.status,
        undone.replied_at,
        undone.unanswered_since,
    )


def test_a_hold_that_a_question_ended_is_on_again_once_the_question_is_taken_back() -> None:
    until = NOW + timedelta(hours=1)
    steps = said_and_undone("claimed", "held", "replied 2", "waited 2", "withdrawn 2")
    steps[2] = replace(steps[2], facts={"until": until.isoformat()})
    undone = replace(steps[-1], facts=model.restoring(steps[:-1], MessageId(2)))
    held = model.fold([*steps[:-1], undone])
    assert (held.status, held.hold_until) == (Status.ON_HOLD, until)


def test_an_undo_from_before_it_restored_anything_still_folds() -> None:
    steps = said_and_undone("claimed", "replied 2", "withdrawn 2")
    assert model.fold(steps).replied_at == NOW + timedelta(minutes=2)


def test_resolving_closing_and_reopening_set_and_clear_their_instants() -> None:
    state = ticket(Status.OPEN)
    history = []
    for minute, kind in enumerate(("resolved", "closed", "reopened", "resolved"), start=1):
        facts = {"text": "done"} if kind == "resolved" else {}
        state = model.evolve(state, replace(event(kind), at=NOW + timedelta(minutes=minute), facts=facts))
        instants = (state.resolved_at, state.closed_at)
        history.append(tuple(None if at is None else (at - NOW).seconds // 60 for at in instants))
    assert history == [(1, None), (1, 2), (None, None), (4, None)]


def test_a_hold_is_over_in_every_other_status() -> None:
    held = model.evolve(
        ticket(Status.OPEN), replace(event("held"), facts={"until": (NOW + timedelta(hours=1)).isoformat()})
    )
    assert held.hold_until == NOW + timedelta(hours=1)
    for kind in ("resumed", "waited", "resolved"):
        assert model.evolve(held, event(kind)).hold_until is None


# ---- the actions


@dataclass
class Scene:
    """Ivan's ticket, and those who act on it."""

    town: Town
    ivan: Actor
    anna: Actor
    boris: Actor

    async def do(
        self, action: Callable[..., Awaitable[Any]], actor: Actor, *args: object, **more: object
    ) -> Any:
        return await self.town.database.write(lambda tx: action(tx, actor, TicketId(1), *args, **more))

    async def now(self) -> Ticket:
        return await self.town.ticket(1)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with opened(tmp_path) as town:
        yield await set_up(town)


async def set_up(town: Town) -> Scene:
    async def work(tx: Transaction) -> Scene:
        ivan, anna, boris = [await actor(tx, town, name) for name in ("ivan", "anna", "boris")]
        await open_ticket(tx, ivan)
        return Scene(town, ivan, anna, boris)

    return await town.database.write(work)


async def actor(tx: Transaction, town: Town, account: str) -> Actor:
    return Actor(await people.by_identity(tx, town[account].identity), "web")


async def open_ticket(tx: Transaction, actor: Actor, text: str = "VPN drops") -> Ticket:
    return await tickets.open_ticket(
        tx, actor, type_name="network", text=text, priority=Priority.HIGH, home="web:u-ivan"
    )


PATHS: Mapping[Status, tuple[str, ...]] = {
    Status.NEW: (),
    Status.OPEN: ("take",),
    Status.WAITING: ("take", "wait"),
    Status.ON_HOLD: ("take", "hold"),
    Status.RESOLVED: ("take", "resolve"),
    Status.CLOSED: ("take", "resolve", "confirm"),
}
"""How a ticket comes into each status."""

DEEDS = """
            N O W H R C
say         N O O H O -
thank       N O O H R C
confirm     - - - - C -
reopen      - - - - O O
take        O - - - - -
release     - N W H - -
pass        O O W H - -
reply       O O W H R -
note        N O W H R C
wait        W W W W - -
hold        H H H H - -
resume      - - O O - -
resolve     R R R R - -
prioritise  N O W H R -
set_level   N O W H R -
close       - - - - C -
promise     N O - - - -
snooze      N O - - - -
"""


async def act(scene: Scene, name: str) -> None:
    anna, ivan, boris = scene.anna, scene.ivan, scene.boris
    assert boris.person is not None
    acts: Mapping[str, Callable[[], Awaitable[Any]]] = {
        "say": lambda: scene.do(tickets.say, ivan, "words"),
        "thank": lambda: scene.do(tickets.say, ivan, "thanks", thanks=True),
        "confirm": lambda: scene.do(tickets.confirm, ivan),
        "reopen": lambda: scene.do(tickets.reopen, ivan),
        "take": lambda: scene.do(tickets.take, anna),
        "release": lambda: scene.do(tickets.release, anna),
        "pass": lambda: scene.do(tickets.pass_to, anna, boris.person.id),  # type: ignore[union-attr]
        "reply": lambda: scene.do(tickets.reply, anna, "words"),
        "note": lambda: scene.do(tickets.note, anna, "words"),
        "wait": lambda: scene.do(tickets.wait, anna),
        "hold": lambda: scene.do(tickets.hold, anna, None),
        "resume": lambda: scene.do(tickets.resume, anna),
        "resolve": lambda: scene.do(tickets.resolve, anna),
        "prioritise": lambda: scene.do(tickets.prioritise, anna, Priority.LOW),
        "set_level": lambda: scene.do(tickets.set_level, anna, Level.L2),
        "close": lambda: scene.do(tickets.close, DESK),
        "promise": lambda: scene.do(escalation.promise, anna),
        "snooze": lambda: scene.do(escalation.snooze, anna),
    }
    await acts[name]()


@pytest.mark.parametrize("status", Status)
async def test_every_action_in_every_status_leads_where_the_table_says_or_changes_nothing(
    tmp_path: Path, status: Status
) -> None:
    place = list(Status).index(status)
    for row in DEEDS.strip().splitlines()[1:]:
        name, *cells = row.split()
        async with opened(tmp_path / name) as town:
            scene = await set_up(town)
            for step in PATHS[status]:
                await act(scene, step)
            before = await scene.now()
            assert before.status is status
            if cells[place] == "-":
                with pytest.raises(UserError):
                    await act(scene, name)
                assert await scene.now() == before, name
            else:
                await act(scene, name)
                assert (await scene.now()).status is LETTERS[cells[place]], name


async def test_whoever_answers_what_is_nobodys_has_taken_it(scene: Scene) -> None:
    assert scene.anna.person is not None
    for action, args in ((tickets.reply, ("words",)), (tickets.wait, ()), (tickets.resolve, ())):
        await scene.do(action, scene.anna, *args)
        assert (await scene.now()).owner == scene.anna.person.id
        await scene.do(tickets.reopen, scene.ivan) if action is tickets.resolve else None
        await scene.do(tickets.release, scene.anna)


async def test_an_answer_to_what_is_somebodys_takes_nothing_over(scene: Scene) -> None:
    assert scene.boris.person is not None
    await scene.do(tickets.take, scene.boris)
    await scene.do(tickets.reply, scene.anna, "words")
    assert (await scene.now()).owner == scene.boris.person.id


async def test_a_refused_reply_to_nobodys_ticket_takes_nothing(scene: Scene) -> None:
    with pytest.raises(UserError):
        await scene.do(tickets.reply, scene.anna, " \n")
    assert (await scene.now()).owner is None


async def test_numbers_follow_each_other_and_a_rolled_back_one_is_given_again(scene: Scene) -> None:
    async def fails(tx: Transaction) -> None:
        await open_ticket(tx, scene.ivan)
        raise UserError("text.empty")

    with pytest.raises(UserError):
        await scene.town.database.write(fails)
    made = [await scene.town.database.write(lambda tx: open_ticket(tx, scene.ivan)) for _ in range(3)]
    assert [each.id for each in made] == [2, 3, 4]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("VPN drops", "VPN drops"),
        ("\n\n  VPN   drops\noften", "VPN drops"),
        ("", "#2"),
        ("x" * 200, "x" * 79 + "…"),
        ("слово " * 30, "слово " * 12 + "слово…"),
        ("<b>&\t\x00", "<b>& \x00"),
    ],
)
async def test_the_title_is_the_first_line_made_short(scene: Scene, text: str, title: str) -> None:
    made = await scene.town.database.write(lambda tx: open_ticket(tx, scene.ivan, text))
    assert made.title == title


async def test_a_pass_is_only_to_those_who_serve_the_queue(scene: Scene) -> None:
    assert scene.ivan.person is not None
    with pytest.raises(UserError, match="does_not_serve"):
        await scene.do(tickets.pass_to, scene.anna, scene.ivan.person.id)
    assert (await scene.now()).owner is None


async def test_reopening_is_possible_for_a_while(scene: Scene) -> None:
    await scene.do(tickets.resolve, scene.anna)
    await scene.do(tickets.confirm, scene.ivan)
    scene.town.clock.advance(timedelta(days=14, microseconds=1))
    with pytest.raises(UserError, match="closed_too_long"):
        await scene.do(tickets.reopen, scene.ivan)
    scene.town.clock.advance(timedelta(microseconds=-1))
    await scene.do(tickets.reopen, scene.ivan)
    assert (await scene.now()).status is Status.OPEN


async def test_a_message_is_edited_by_its_author_with_the_old_words_kept(scene: Scene) -> None:
    message = await scene.do(tickets.say, scene.ivan, "before")
    await scene.do(tickets.edit_message, scene.ivan, message, "after")
    await scene.do(tickets.edit_message, scene.ivan, message, "after")
    with pytest.raises(UserError, match="not_yours"):
        await scene.do(tickets.edit_message, scene.anna, message, "forged")
    with pytest.raises(UserError, match=r"text\.empty"):
        await scene.do(tickets.edit_message, scene.ivan, message, "  ")
    events = await scene.town.database.read(lambda tx: store.timeline(tx, TicketId(1)))
    edits = [each.facts for each in events if each.kind == "edited"]
    assert edits == [{"message": message, "before": "before"}]


async def test_a_message_of_another_ticket_cannot_be_touched_through_this_one(scene: Scene) -> None:
    await scene.town.database.write(lambda tx: open_ticket(tx, scene.ivan, "Printer"))
    reply = await scene.town.database.write(lambda tx: tickets.reply(tx, scene.anna, TicketId(2), "words"))
    for action, actor, args in (
        (tickets.withdraw, scene.anna, (reply,)),
        (tickets.edit_message, scene.anna, (reply, "x")),
        (tickets.move_away, scene.anna, (reply, TicketId(1))),
    ):
        with pytest.raises(UserError, match="not_yours"):
            await scene.do(action, actor, *args)


async def test_only_later_words_of_the_requester_s_own_can_be_moved_away(scene: Scene) -> None:
    await scene.town.database.write(lambda tx: open_ticket(tx, scene.ivan, "Printer"))
    note = await scene.do(tickets.note, scene.anna, "he always forgets")
    reply = await scene.do(tickets.reply, scene.anna, "restart it")
    said = await scene.town.database.read(lambda tx: store.messages_of(tx, TicketId(1)))
    for actor, message in ((scene.anna, note), (scene.anna, reply), (scene.ivan, said[0].id)):
        with pytest.raises(UserError, match="not_movable"):
            await scene.do(tickets.move_away, actor, message, TicketId(2))
    later = await scene.do(tickets.say, scene.ivan, "the printer, too")
    with pytest.raises(UserError, match="not_yours"):
        await scene.do(tickets.move_away, scene.anna, later, TicketId(2))
    await scene.do(tickets.move_away, scene.ivan, later, TicketId(2))
    assert (await scene.town.database.read(lambda tx: store.message(tx, later))).withdrawn_at  # type: ignore[union-attr]


async def replied(scene: Scene, words: str = "a slip") -> Any:
    return await scene.do(tickets.reply, scene.anna, words)


async def test_a_reply_taken_back_restores_what_it_met(scene: Scene) -> None:
    await scene.do(tickets.take, scene.anna)
    before = await scene.now()
    scene.town.clock.advance(timedelta(minutes=1))
    message = await replied(scene)
    assert (await scene.now()).unanswered_since is None
    await scene.do(tickets.withdraw, scene.anna, message)
    after = await scene.now()
    assert (after.replied_at, after.unanswered_since) == (None, before.unanswered_since)
    assert model.fold(await scene.town.database.read(lambda tx: store.timeline(tx, TicketId(1)))) == after


async def test_a_question_taken_back_leaves_nothing_to_wait_for(scene: Scene) -> None:
    await scene.do(tickets.take, scene.anna)
    await scene.do(tickets.wait, scene.anna, "Which version?")
    assert (await scene.now()).status is Status.WAITING
    said = await scene.town.database.read(lambda tx: store.messages_of(tx, TicketId(1)))
    await scene.do(tickets.withdraw, scene.anna, said[-1].id)
    assert (await scene.now()).status is Status.OPEN


async def numbers_found(scene: Scene, words: str) -> list[int]:
    found = await scene.town.database.read(lambda tx: queries.find(tx, scene.anna, words))
    return [each.id for each in found]


async def test_a_search_finds_what_stands_in_the_ticket_now(scene: Scene) -> None:
    await scene.town.database.write(
        lambda tx: tickets.open_ticket(
            tx,
            scene.ivan,
            type_name="network",
            text="Printer",
            priority=Priority.HIGH,
            home="web:u-ivan",
            answers=[
                Answer("change", "the attic"),
                Answer("where", "Home", 1),
                Answer("gone", "a lighthouse"),
            ],
        )
    )
    for words in ("attic", "printer attic", "home", "из дома", "lighthouse"):
        assert await numbers_found(scene, words) == [2], words
    later = await scene.do(tickets.say, scene.ivan, "the walrus")
    await scene.do(tickets.edit_message, scene.ivan, later, "the narwhal")
    reply = await replied(scene, "the octopus")
    moved = await scene.do(tickets.say, scene.ivan, "the mammoth")
    note = await scene.do(tickets.note, scene.anna, "the vulture")
    await scene.do(tickets.edit_message, scene.anna, note, "the condor")
    for words, found in (("narwhal", [1]), ("octopus", [1]), ("walrus", []), ("vulture", []), ("condor", [])):
        assert await numbers_found(scene, words) == found, words
    await scene.do(tickets.withdraw, scene.anna, reply)
    await scene.do(tickets.move_away, scene.ivan, moved, TicketId(2))
    await scene.do(tickets.resolve, scene.anna, "Reinstalled the TAP driver")
    for words, found in (("octopus", []), ("mammoth", []), ("tap driver", [1]), ("vpn ivan petrov", [1])):
        assert await numbers_found(scene, words) == found, words


async def test_a_search_for_a_number_finds_the_ticket_of_that_number_first(scene: Scene) -> None:
    await scene.town.database.write(lambda tx: open_ticket(tx, scene.ivan, "Monitor 1 is dark"))
    assert await numbers_found(scene, "1") == [1, 2]
    assert await numbers_found(scene, "#2") == [2]
    assert await numbers_found(scene, "1 2") == []
    assert await numbers_found(scene, "9" * 30) == []


async def test_a_search_needs_every_word_in_any_case_and_spelling(scene: Scene) -> None:
    await scene.do(tickets.say, scene.ivan, "Ёлка упала на роутер 3-го этажа 100%_")

    async def numbers(words: str) -> list[int]:
        found = await scene.town.database.read(lambda tx: queries.find(tx, scene.anna, words))
        return [each.id for each in found]

    for words in ("vpn", "DROPS vpn", "елка", "ЁЛКА роутер", "этаж", "ivan petrov", "100"):
        assert await numbers(words) == [1], words
    for words in ("vpn нет", "%", "_", "zzz"):
        assert await numbers(words) == ([1] if words in "%_" else []), words
