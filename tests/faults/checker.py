"""What must be true of a desk after a bad day, whatever happened to it.

Black-box: compares what people said and what stands before them (the messengers' own records) with
`deskbridge export --json`. Every word that counts bears a nonce of its own.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

NONCE = re.compile(r"\bq\d+z\b")
Wrong = Literal["lost", "doubled", "disordered", "unlikely", "leaked", "unwell"]
"""`unlikely`: the timeline and the state of a ticket do not agree, or somebody acted who may not."""
Ticket = Mapping[str, Any]
STAFF = ("claimed", "replied", "noted", "resolved", "released", "passed", "held")
"""What nobody but a person of the staff does."""
ENDED = ("claimed", "resolved", "confirmed", "closed", "merged")
"""After these nobody is asked to take the ticket."""


@dataclass(frozen=True)
class Said:
    """Something that somebody said, in the order in which it was said in its conversation."""

    nonce: str
    conversation: str
    kind: Literal["request", "reply", "note", "resolution"] = "request"
    read_in: str = ""
    """The conversation in which somebody else must read it."""
    sure: bool = True
    """Whether the messenger was told that the desk has it. If not, it may be missing, and not be there
    twice."""
    copies: int = 0
    """So many answers were lost while it was on its way: so often it may stand there once more."""


@dataclass(frozen=True)
class Evidence:
    """Everything that is known after a run, from outside."""

    export: Mapping[str, Any]
    said: Sequence[Said]
    shown: Mapping[str, Sequence[str]]
    """Each conversation: what the desk says in it, in the order in which it stands there."""
    pings: Counter[int] = field(default_factory=Counter)
    """How many messages ask somebody to take which ticket, all conversations together."""
    lost_pings: int = 0
    """So many of them may be copies, because an answer was lost."""
    secrets: Sequence[str] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    """Where no secret may be found: logs, files of the database, the export."""
    ready: bool | None = None
    """What /readyz said while everything was well."""

    @property
    def tickets(self) -> Sequence[Ticket]:
        found: Sequence[Ticket] = self.export["tickets"]
        return found

    @property
    def parcels(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.export["waiting"]["parcels"]
        return found


@dataclass(frozen=True)
class Finding:
    what: Wrong
    about: str

    def __str__(self) -> str:
        return f"{self.what}: {self.about}"


def check(evidence: Evidence) -> list[Finding]:
    """Everything that is wrong; nothing, if all is well."""
    return [finding for rule in RULES for finding in rule(evidence)]


def nonces(text: str) -> list[str]:
    return NONCE.findall(text)


# ---- INV1: what was acknowledged is in one ticket, once


def everything_said_is_kept_once(evidence: Evidence) -> Iterator[Finding]:
    kept = Counter(nonce for ticket in evidence.tickets for nonce in _kept(ticket))
    for each in evidence.said:
        if kept[each.nonce] > 1:
            yield Finding("doubled", f"{each.nonce} is kept {kept[each.nonce]} times")
        if each.sure and not kept[each.nonce]:
            yield Finding("lost", f"{each.nonce}, said in {each.conversation}, is in no ticket")
    for nonce in kept - Counter(each.nonce for each in evidence.said):
        if nonce not in {each.nonce for each in evidence.said}:
            yield Finding("unlikely", f"{nonce} is kept and nobody said it")
    files = [(ticket["id"], file["id"]) for ticket in evidence.tickets for file in ticket["files"]]
    for one, times in Counter(files).items():
        if times > 1:
            yield Finding("doubled", f"file {one[1]} is kept {times} times in ticket {one[0]}")


def _kept(ticket: Ticket) -> list[str]:
    said = [nonce for message in ticket["messages"] for nonce in nonces(message["text"])]
    return said + nonces(ticket["resolution"] or "")


# ---- INV2: what was to be shown is shown, or visibly waits


def everything_is_shown_or_waits(evidence: Evidence) -> Iterator[Finding]:
    waits = {parcel["message"] for parcel in evidence.parcels}
    for ticket in evidence.tickets:
        for message in ticket["messages"]:
            gone = message["kind"] != "reply" or message["withdrawn_at"]
            if not (gone or message["delivered"] or message["id"] in waits):
                yield Finding("lost", f"reply {message['id']} of ticket {ticket['id']} went nowhere")


def everything_is_read_as_often_as_it_may(evidence: Evidence) -> Iterator[Finding]:
    waiting = {parcel["message"] for parcel in evidence.parcels}
    held_back = {
        nonce
        for ticket in evidence.tickets
        for message in ticket["messages"]
        if message["id"] in waiting
        for nonce in nonces(message["text"])
    }
    for each in evidence.said:
        if not each.read_in:
            continue
        read = sum(nonces(text).count(each.nonce) for text in evidence.shown.get(each.read_in, ()))
        if not read and each.sure and each.nonce not in held_back:
            yield Finding("lost", f"{each.nonce} was never read in {each.read_in}")
        if read > 1 + each.copies:
            allowed = f"{each.copies} answers were lost"
            yield Finding("doubled", f"{each.nonce} stands {read} times in {each.read_in}, {allowed}")


# ---- INV3: order out is order in


def words_are_kept_in_order(evidence: Evidence) -> Iterator[Finding]:
    for ticket in evidence.tickets:
        order = [nonce for message in ticket["messages"] for nonce in nonces(message["text"])]
        for conversation, said in _by(evidence.said, "conversation").items():
            yield from _disorder(said, order, f"ticket {ticket['id']}, said in {conversation}")


def words_are_read_in_order(evidence: Evidence) -> Iterator[Finding]:
    for place, said in _by(evidence.said, "read_in").items():
        order = list(dict.fromkeys(n for text in evidence.shown.get(place, ()) for n in nonces(text)))
        for conversation, mine in _by(said, "conversation").items():
            yield from _disorder(mine, order, f"{place}, said in {conversation}")


def _by(said: Sequence[Said], what: str) -> dict[str, list[Said]]:
    found: dict[str, list[Said]] = {}
    for each in said:
        found.setdefault(getattr(each, what), []).append(each)
    found.pop("", None)
    return found


def _disorder(said: Sequence[Said], order: Sequence[str], where: str) -> Iterator[Finding]:
    place = {nonce: at for at, nonce in reversed(list(enumerate(order)))}
    there = [each.nonce for each in said if each.nonce in place]
    for before, after in itertools.pairwise(there):
        if place[before] > place[after]:
            yield Finding("disordered", f"{after} stands before {before} in {where}")


# ---- INV4: each ping once, and none after somebody has taken it


def each_ping_is_one(evidence: Evidence) -> Iterator[Finding]:
    for ticket in evidence.tickets:
        names = ("policy", "step", "time", "base_at", "person", "room")
        for ping, times in Counter(tuple(each[n] for n in names) for each in ticket["pings"]).items():
            if times > 1:
                yield Finding("doubled", f"ticket {ticket['id']}: ping {ping} was decided {times} times")
        kinds = [event["kind"] for event in ticket["timeline"]]
        taken = next((at for at, kind in enumerate(kinds) if kind in ENDED), len(kinds))
        if "pinged" in kinds[taken:] and "reopened" not in kinds:
            yield Finding("unlikely", f"ticket {ticket['id']}: somebody was pinged after it was taken")


def each_ping_is_shown(evidence: Evidence) -> Iterator[Finding]:
    waits = {parcel["slot"] for parcel in evidence.parcels}
    copies = 0
    for ticket in evidence.tickets:
        for ping in ticket["pings"]:
            slot = f"ping:{ping['together'] or ping['id']}"
            if not (ping["delivered"] or ping["answer"] or slot in waits):
                yield Finding("lost", f"ticket {ticket['id']}: ping {ping['id']} went nowhere")
        copies += max(0, evidence.pings[ticket["id"]] - len(ticket["pings"]))
    if copies > evidence.lost_pings:
        yield Finding("doubled", f"{copies} copies of pings, {evidence.lost_pings} answers were lost")


# ---- INV5: the state is what the timeline says, and who acted may


def the_state_is_what_the_timeline_says(evidence: Evidence) -> Iterator[Finding]:
    for ticket in evidence.tickets:
        for name, value in fold(ticket["timeline"]).items():
            if ticket[name] != value:
                what = f"{name} is {ticket[name]!r}, by its timeline {value!r}"
                yield Finding("unlikely", f"ticket {ticket['id']}: {what}")
        for event in ticket["timeline"]:
            if event["kind"] in STAFF and event["actor"] in (None, ticket["requester"]):
                yield Finding("unlikely", f"ticket {ticket['id']}: {event['kind']} by {event['actor']}")


_AFTER: Mapping[str, Mapping[str, str]] = {
    "claimed": {"new": "open"},
    "passed": {"new": "open"},
    "replied": {"new": "open"},
    "said": {"waiting": "open", "resolved": "open"},
    "emergency": {"waiting": "open"},
    "resumed": {"waiting": "open", "on_hold": "open"},
    "unmerged": {"closed": "open"},
}
_ENDS = {
    "waited": "waiting",
    "held": "on_hold",
    "resolved": "resolved",
    "confirmed": "closed",
    "closed": "closed",
    "merged": "closed",
    "reopened": "open",
}


def fold(timeline: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Status, owner, priority and queue as they follow from the events."""
    first = timeline[0]["facts"]
    state = {"status": "new", "owner": None, "priority": first["priority"], "queue": first["queue"]}
    for event in timeline[1:]:
        kind, facts = event["kind"], event["facts"]
        state["status"] = _ENDS.get(kind) or _AFTER.get(kind, {}).get(state["status"], state["status"])
        state |= {name: facts[name] for name in ("owner", "priority", "queue") if name in facts}
        if kind == "withdrawn" and "status" in facts:
            state["status"] = facts["status"]
        if kind == "released":
            state["owner"] = None
        if state["owner"] is None and state["status"] == "open":
            state["status"] = "new"
    return state


# ---- INV7 and INV8


def no_secret_is_anywhere(evidence: Evidence) -> Iterator[Finding]:
    for place, text in evidence.places.items():
        for number, secret in enumerate(evidence.secrets):
            if secret in text:
                yield Finding("leaked", f"secret {number} ({len(secret)} characters) stands in {place}")


def it_says_that_it_is_well(evidence: Evidence) -> Iterator[Finding]:
    if evidence.ready is False:
        yield Finding("unwell", "/readyz says no, and nothing is wrong any more")


RULES = (
    everything_said_is_kept_once,
    everything_is_shown_or_waits,
    everything_is_read_as_often_as_it_may,
    words_are_kept_in_order,
    words_are_read_in_order,
    each_ping_is_one,
    each_ping_is_shown,
    the_state_is_what_the_timeline_says,
    no_secret_is_anywhere,
    it_says_that_it_is_well,
)


def copies(evidence: Evidence) -> int:
    """How often something that was to be read once stands there once more."""
    read = {
        place: Counter(n for text in texts for n in nonces(text)) for place, texts in evidence.shown.items()
    }
    return sum(max(0, read.get(each.read_in, Counter())[each.nonce] - 1) for each in evidence.said)
