"""Which schema a version can work with, and which parts of an upgrade may run while others still serve.

An upgrade comes in parts. A `pre` part only adds: the version before it goes on working. A `post` part
takes away or tightens: it waits until no process of a version lives that does not know it. The database
remembers the oldest version that can work with it, by the newest revision that this one knows: its floor."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True)
class Step:
    """One migration script. Revisions are numbers of four digits, and follow each other in their order."""

    revision: str
    part: Part = Part.POST


def needs(chain: Sequence[Step]) -> str:
    """The revision without which a version of this chain cannot work: the last `pre` part and all before it.
    What comes after it tidies up, and the version works before that as well as after it."""
    last = max((place for place, step in enumerate(chain) if step.part is Part.PRE), default=len(chain) - 1)
    return chain[last].revision


def target(chain: Sequence[Step], found: str | None, others: Collection[str]) -> str | None:
    """Up to which revision the schema can be brought now, while processes serve it whose newest revisions are
    `others`. None where there is nothing to do."""
    reached = None
    for step in chain:
        if found is not None and step.revision <= found:
            continue
        if step.part is Part.POST and found is not None and any(each < step.revision for each in others):
            break
        reached = step.revision
    return reached


def floor(chain: Sequence[Step], found: str) -> str:
    """The newest revision that a version must know to work with this schema: its last `post` part."""
    posts = [step.revision for step in chain if step.part is Part.POST and step.revision <= found]
    return posts[-1] if posts else chain[0].revision


def fits(chain: Sequence[Step], found: str, oldest: str | None) -> bool:
    """Whether the version of this chain can work with a schema as it is; `oldest` is the floor that stands in
    the database, None where none does."""
    newest = chain[-1].revision
    if found > newest:
        return oldest is not None and oldest <= newest
    return found >= needs(chain)
