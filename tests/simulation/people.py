"""People at their messengers: what they say and press, and how it reaches the desk, once or several times."""

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.adapters.port import Raw
from bot.message import Choice
from core.kernel.ids import Identity
from tests.simulation.platforms import Platform, Standing, direct_room

if TYPE_CHECKING:
    from tests.simulation.world import World

PATIENCE = 10.0
"""Seconds after which a platform takes an event for not taken."""
LEAVING = {"cancel", "edit", "back", "describe"}
"""Choices in a dialog that leave words behind."""
CAREFUL = {("r", "yes"), ("r", "no"), ("r", "into")}
"""What else a careful person presses: it leaves no words behind."""
OWNING = ("/take {n}", "/take {n}", "/release {n} {w}", "/pass {n} anna {w}", "/pass {n} boris")
ANSWERING = (
    "/reply {n} {w}", "/reply {n} {w}", "/wait {n}", "/wait {n} {w}", "/resolve {n} {w}", "/resolve {n}",
)  # fmt: skip
NOTING = ("/note {n} {w}",)
STEERING = (
    "/hold {n} 45s", "/hold {n}", "/resume {n}", "/reopen {n}", "/level {n} L2", "/priority {n} critical",
    "/priority {n} critical", "/priority {n} high", "/priority {n} normal", "/priority {n} low",
    "/onit {n}", "/snooze {n} 20s", "/snooze {n} 1h",
)  # fmt: skip
JOINING = (
    "/merge {n} into {m}", "/merge {n} into {m}", "/unmerge {n}", "/relate {n} {m}", "/unrelate {n} {m}",
    "/add {n} @ivan", "/add {n} @olga", "/add {n} @boris", "/remove {n} @olga", "/watch {n}", "/leave {n}",
)  # fmt: skip
WORDS = ("yes", "no", "thanks", "/my", "/help", "1", "somewhere")


@dataclass(eq=False)
class Event:
    """Something that was done at a platform, until and after the desk has taken it."""

    raw: Raw
    nonce: str | None
    acknowledged: bool = False
    tries: int = 0


@dataclass(eq=False)
class Lane:
    """A conversation: its next event is told once the one before was taken."""

    platform: Platform
    events: deque[Event] = field(default_factory=deque)
    told: int = 0
    """Which telling is under way; answers to earlier ones are of no interest."""


@dataclass(eq=False)
class Person:
    """Somebody at one messenger."""

    world: "World"
    name: str
    platform: Platform
    account: str
    staff: bool = False
    careful: bool = True
    """Does nothing that leaves words of their own behind."""
    said: list[tuple[str, str]] = field(default_factory=list)
    """Message and nonce, of what can be changed."""
    buttons: list[tuple[Standing, Choice]] = field(default_factory=list)
    """Some that have stood there at some time."""
    thread: str | None = None
    """Where the messenger has threads: that of their newest request."""

    @property
    def identity(self) -> Identity:
        return Identity(self.platform.name, self.account)

    @property
    def direct(self) -> str:
        return direct_room(self.identity)

    # ---- doing

    def does(self, kind: str, room: str, thread: str | None, nonce: str | None = None, **what: Any) -> None:
        platform = self.platform
        body = {
            "kind": kind,
            "who": self.account,
            "name": self.name,
            "room": room,
            "thread": thread,
            "private": room == self.direct,
            "at": self.world.now().isoformat(),
            **what,
        }
        if kind in ("pressed", "submitted"):
            body["press"] = f"p{platform.number()}" if platform.features.acknowledges else None
        told = f"{room}/{what['message']}" if kind == "said" else None
        key = f"{self.account}:{platform.number()}"
        self.world.note(kind, self.name, room, thread, what.get("text") or what.get("code"))
        self.world.tell(platform, Event(Raw(key, room, body, told), nonce))

    def says(self, text: str, *, nonce: str | None = None, begins: bool = False) -> str:
        """In private; with `begins`, where requests have threads of their own, in a new one."""
        message = self.platform.number()
        thread = None
        if self.platform.features.threads:
            if begins or self.thread is None:
                self.thread = message
            thread = self.thread
        self.does("said", self.direct, thread, nonce, text=text, message=message, reply_to=None)
        return message

    def presses(self, shown: Standing, choice: Choice) -> None:
        thread = shown.thread
        if self.platform.features.threads and shown.room == self.direct and thread is None:
            thread = shown.id
        form = choice.form
        if form is not None and self.platform.features.forms:
            self.fills(shown, thread, form)
            return
        self.does("pressed", shown.room, thread, code=choice.code, message=shown.id)

    def fills(self, shown: Standing, thread: str | None, form: Any) -> None:
        values = []
        for asked in form.fields:
            if asked.options:
                values.append((asked.name, self.world.chance.choice(asked.options).value))
            else:
                values.append((asked.name, self.world.word(self)))
        self.does("submitted", shown.room, thread, code=form.code, values=values)

    # ---- seeing

    def sees(self, room: str) -> list[Standing]:
        return [each for each in self.platform.visible(room) if each.only in (None, self.identity)]

    def offered(self, room: str, newest: int = 12) -> list[tuple[Standing, Choice]]:
        found = [
            (shown, choice)
            for shown in self.sees(room)[-newest:]
            for row in shown.message.rows
            for choice in row
        ]
        if found and len(self.buttons) < 400:
            self.buttons.append(self.world.chance.choice(found))
        return found

    def question(self) -> list[tuple[Standing, Choice]]:
        """The newest open question, as far as it can be answered without leaving anything behind."""
        for shown in reversed(self.sees(self.direct)[-8:]):
            found = [
                (shown, each) for row in shown.message.rows for each in row if each.code.startswith("d.")
            ]
            if found:
                return [each for each in found if each[1].code.rpartition(".")[2] not in LEAVING]
        return []

    def is_safe(self, choice: Choice) -> bool:
        """Whether a careful person may press this."""
        kind, *words = choice.code.split(".")
        if kind == "d":
            return words[-1] not in LEAVING
        return (kind, words[0]) in CAREFUL

    # ---- habits of requesters

    def reports(self) -> None:
        nonce = self.world.word(self)
        about = self.world.chance.choice(("vpn drops", "it is broken", "and then"))
        message = self.says(f"{about} {nonce}", nonce=nonce, begins=self.world.chance.random() < 0.3)
        self.said.append((message, nonce))

    def goes_on(self) -> None:
        """Answers what is asked, or says something more."""
        asked = self.question()
        if not asked:
            self.reports()
            return
        send = [each for each in asked if each[1].code.endswith(".send")]
        if self.world.chance.random() < 0.1:
            self.says(self.world.chance.choice(("somewhere", "1", "2")))
            return
        self.presses(*(send[0] if send else self.world.chance.choice(asked)))

    def presses_anything(self) -> None:
        there = self.offered(self.direct)
        old = self.buttons if self.world.chance.random() < 0.3 else there
        allowed = [each for each in old if not self.careful or self.is_safe(each[1])]
        if allowed:
            self.presses(*self.world.chance.choice(allowed))

    def says_a_word(self) -> None:
        self.says(self.world.chance.choice(WORDS if self.careful else (*WORDS, "/cancel", "/new again")))

    def edits(self) -> None:
        if not self.said:
            return
        place = self.world.chance.randrange(len(self.said))
        message, old = self.said[place]
        new = self.world.word(self)
        self.said[place] = (message, new)
        self.world.replaced(old, new)
        thread = self.thread if self.platform.features.threads else None
        self.does("edited", self.direct, thread, new, text=f"rather {new}", message=message)

    # ---- habits of staff

    def commands(self, verbs: tuple[str, ...], *, secret: bool = False) -> None:
        chance = self.world.chance
        number, other = self.world.some_ticket(), self.world.some_ticket()
        verb = chance.choice(verbs)
        nonce = self.world.word(self, secret=secret) if "{w}" in verb else None
        self.says(verb.format(n=number, m=other, w=nonce), nonce=nonce, begins=True)

    def writes_in_the_thread(self) -> None:
        cards = [each for each in self.sees(self.world.space(self.platform)) if each.message.tone == "card"]
        if cards:
            card = self.world.chance.choice(cards[-6:])
            nonce = self.world.word(self, secret=True)
            thread = card.thread if self.platform.name == "telegram" else card.id
            message = self.platform.number()
            self.does("said", card.room, thread, nonce, text=nonce, message=message, reply_to=None)

    def presses_a_card(self) -> None:
        room = self.world.space(self.platform) if self.world.chance.random() < 0.7 else self.direct
        there = self.offered(room)
        old = self.buttons if self.world.chance.random() < 0.2 else there
        if old:
            self.presses(*self.world.chance.choice(old))
