"""What an intake has gathered so far: frozen, stored between turns, and which step comes next."""

from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter

from core.kernel.ids import MessageId, TicketId
from core.tickets.catalogue import Catalogue, Priority, Question
from core.tickets.model import Answer

DESCRIBE, TYPE, URGENCY, SUMMARY = "describe", "type", "urgency", "summary"


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket in the making. `done` are the steps behind us, in the order they were taken."""

    texts: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    type: str | None = None
    guessed: bool = False
    answers: tuple[Answer, ...] = field(default=())
    priority: Priority | None = None
    done: tuple[str, ...] = ()
    source: tuple[str, str] | None = None
    origin: TicketId | None = None
    moved: tuple[TicketId, MessageId] | None = None
    """The message of another ticket this one begins with."""
    version: int = 1

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)

    def with_answer(self, answer: Answer | None, question: str) -> "Draft":
        others = tuple(each for each in self.answers if each.question != question)
        return replace(self, answers=(*others, answer) if answer else others)

    def finished(self, step: str) -> "Draft":
        return replace(self, done=(*(each for each in self.done if each != step), step))

    def undone(self, step: str) -> "Draft":
        return replace(self, done=tuple(each for each in self.done if each != step))


_ADAPTER: TypeAdapter[Draft] = TypeAdapter(Draft)


def dump(draft: Draft) -> dict[str, Any]:
    dumped: dict[str, Any] = _ADAPTER.dump_python(draft, mode="json")
    return dumped


def load(stored: Any) -> Draft:
    return _ADAPTER.validate_python(stored)


def questions(draft: Draft, catalogue: Catalogue) -> dict[str, Question]:
    """The type's questions by step; none while the type is open."""
    kind = catalogue.types.get(draft.type or "")
    return {f"q-{question.name}": question for question in kind.questions} if kind else {}


def steps(draft: Draft, catalogue: Catalogue) -> list[str]:
    """Every step of this draft, in order."""
    kind = catalogue.types.get(draft.type or "")
    urgency = [] if kind is None or kind.urgency else [URGENCY]
    return [DESCRIBE, TYPE, *questions(draft, catalogue), *urgency, SUMMARY]


def next_step(draft: Draft, catalogue: Catalogue) -> str:
    """The first step that is not done yet."""
    return next(step for step in steps(draft, catalogue) if step == SUMMARY or step not in draft.done)
