"""What an intake has gathered so far: frozen, stored between turns, and which step comes next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, TypeAdapter

from core.kernel import marked
from core.kernel.ids import MessageId, PersonId, TicketId
from core.tickets.actions import Source
from core.tickets.catalogue import Catalogue, Priority, Question
from core.tickets.model import Answer

DESCRIBE, TYPE, URGENCY, SUMMARY = "describe", "type", "urgency", "summary"


def _kept(text: str) -> Any:
    """Words as they are stored: by themselves, or with their marks."""
    marks = marked.to_json(text)
    return str(text) if marks is None else [str(text), marks]


def _taken(stored: Any) -> str:
    return stored if isinstance(stored, str) else marked.from_json(*stored)


Kept = Annotated[str, PlainSerializer(_kept), PlainValidator(_taken)]
"""Somebody's words with their marks."""


@dataclass(frozen=True, slots=True)
class Behalf:
    """In whose name somebody else reports, as they were shown: what they are called and where they write."""

    person: PersonId
    name: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket in the making. `done` are the steps behind us, in the order they were taken."""

    texts: tuple[Kept, ...] = ()
    sources: tuple[Source | None, ...] = ()
    """Where each of the texts was said, so that an edit there reaches it."""
    files: tuple[str, ...] = ()
    type: str | None = None
    guessed: bool = False
    answers: tuple[Answer, ...] = field(default=())
    priority: Priority | None = None
    done: tuple[str, ...] = ()
    origin: TicketId | None = None
    moved: tuple[TicketId, MessageId] | None = None
    """The message of another ticket this one begins with."""
    behalf: Behalf | None = None
    """In whose name somebody else reports it."""
    version: int = 1

    @property
    def text(self) -> str:
        return marked.joined("\n\n", self.texts)

    @property
    def source(self) -> Source | None:
        """The message whose words the description is; None where it was put together from several."""
        return self.sources[0] if len(self.sources) == 1 else None

    def with_words(self, text: str, source: Source | None) -> "Draft":
        return replace(self, texts=(*self.texts, text), sources=(*self.sources, source))

    def reworded(self, source: Source, text: str) -> "Draft":
        """The words said in that message are others now."""
        said = zip(self.texts, self.sources, strict=True)
        return replace(self, texts=tuple(text if where == source else words for words, where in said))

    def with_answer(self, answer: Answer | None, question: str) -> "Draft":
        others = tuple(each for each in self.answers if each.question != question)
        return replace(self, answers=(*others, answer) if answer else others)

    def without_questions(self) -> "Draft":
        """Nothing of the type is asked any more. Answers that were said, not picked, go on as words."""
        said = tuple(answer.text for answer in self.answers if answer.option is None)
        texts, sources = (*self.texts, *said), (*self.sources, *(None for _ in said))
        done = tuple(step for step in self.done if not step.startswith("q-"))
        return replace(self, texts=texts, sources=sources, answers=(), done=done)

    def finished(self, step: str) -> "Draft":
        return replace(self, done=(*(each for each in self.done if each != step), step))

    def undone(self, step: str) -> "Draft":
        return replace(self, done=tuple(each for each in self.done if each != step))


_ADAPTER: TypeAdapter[Draft] = TypeAdapter(Draft)
_FIELDS = tuple(each.name for each in fields(Draft))


def dump(draft: Draft) -> dict[str, Any]:
    dumped: dict[str, Any] = _ADAPTER.dump_python(draft, mode="json")
    return dumped


def load(stored: Any) -> Draft:
    return _ADAPTER.validate_python(stored)


def inside(kept: Mapping[str, Any]) -> Draft | None:
    """The draft in what a dialog keeps, which may be more; None where there is none."""
    inner = kept.get("draft", kept)
    found = {name: inner[name] for name in _FIELDS if name in inner}
    return load(found) if "texts" in found else None


def put_inside(kept: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """What a dialog keeps, with this draft where its draft is."""
    return {**kept, **({"draft": dump(draft)} if "draft" in kept else dump(draft))}


def fitted(draft: Draft, catalogue: Catalogue) -> Draft:
    """The draft without a type that the desk does not offer any more."""
    if draft.type is None or draft.type in catalogue.types:
        return draft
    return replace(draft.without_questions(), type=None, guessed=False).undone(TYPE)


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
