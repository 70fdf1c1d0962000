"""Plays a script of said and heard, and writes down what was really heard.

A script is a text. A line that begins at the margin is something that happens, a second after the one before;
the lines indented below it are all that anybody of the cast then sees change in their own conversation, and
in the tickets' threads:

    ivan: VPN drops                      Ivan writes
    ivan: (file log.txt) look            … with a file
    ivan: [Send]                         presses the newest button of this name
    anna: [Reply] text=Restart it        fills in the form behind a button
    anna #1: seen before                 writes in the thread of ticket 1
    ivan edits "drops": VPN fails        changes the newest of his messages with these words
    + 15s                                time goes by, second by second
    restart                              the process ends, and another one takes up the file
    card #1                              shows the card as it is

        ivan < words / next paragraph [Button] [Another]      a new message
        ivan ~ words                                          an older one that is different now
        ivan x                                                one that is gone
        #1 < words                                            in the thread, for every agent

`python -m tests.flows.player` writes every script anew; read the difference before keeping it.
"""

import asyncio
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from core.database.transaction import Transaction
from core.tickets import store
from tests.town import Shown, Somebody, Town
from tests.town import town as opened

SCRIPTS = Path(__file__).parent / "scripts"
CAST = ("ivan", "petr", "anna", "boris", "maria")
EYE = "boris"
"""Through whose eyes the threads are seen."""
_SAYS = re.compile(r"(?P<who>[a-z]+)(?: #(?P<ticket>\d+))?: (?:\(file (?P<file>\S+)\) ?)?(?P<words>.*)")
_EDITS = re.compile(r'(?P<who>[a-z]+) edits "(?P<old>.+)": (?P<new>.*)')
_PRESSES = re.compile(r"(?P<who>[a-z]+): \[(?P<label>[^\]]+)\](?: (?P<form>.+))?")
_PASSES = re.compile(r"\+ (?P<count>\d+)(?P<unit>[smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Player:
    """One script on one desk."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._known: dict[tuple[str, int], tuple[int, str]] = {}
        self._roots: dict[int, int] = {}

    async def play(self, script: str) -> str:
        """The script with what was really heard."""
        await self._changes()
        lines: list[str] = []
        for line in script.splitlines():
            if line.startswith(" "):
                continue
            lines.append(line)
            if line and not line.startswith("#"):
                self._town.clock.advance(timedelta(seconds=1))
                heard = await self._happen(line)
                lines += [f"    {each}" for each in (*heard, *await self._changes())]
                await self._check_nothing_leaked(line)
        return "\n".join(lines) + "\n"

    async def _happen(self, line: str) -> list[str]:
        if line == "restart":
            await self._town.restart()
            await self._town.settle()
        elif line.startswith("card #"):
            return [_line("card", "=", await self._town[EYE].card(int(line.removeprefix("card #"))))]
        elif passes := _PASSES.fullmatch(line):
            span = timedelta(**{_UNITS[passes["unit"]]: int(passes["count"])})
            await self._town.later(
                span, step=timedelta(seconds=1) if span < timedelta(minutes=20) else span / 8
            )
        elif edits := _EDITS.fullmatch(line):
            await self._town[edits["who"]].edit(edits["old"], edits["new"])
        elif presses := _PRESSES.fullmatch(line):
            await _press(self._town[presses["who"]], presses["label"], presses["form"])
        elif says := _SAYS.fullmatch(line):
            await _say(self._town[says["who"]], says)
        else:
            raise ValueError(f"the script says {line!r}")
        return []

    async def _changes(self) -> list[str]:
        """What looks different since the last look."""
        lines: list[str] = []
        for who in CAST:
            lines += self._differences(
                who, [each for each in await self._town[who].sees() if self._own(who, each)]
            )
        return lines

    def _own(self, who: str, shown: Shown) -> bool:
        """Whether it stands in a conversation of theirs alone, or they are the eye."""
        if shown.tone == "card":
            self._roots[shown.id] = shown.ticket or 0
            return False
        return who == EYE or shown.only or shown.thread not in self._roots

    def _differences(self, who: str, screen: list[Shown]) -> Iterator[str]:
        for shown in screen:
            ticket = self._roots.get(shown.thread or 0)
            name = f"#{ticket}" if ticket and not shown.only else who
            before, _ = self._known.get((name, shown.id), (0, ""))
            if before != shown.seq:
                self._known[name, shown.id] = (shown.seq, shown.text)
                if not (shown.mine and name == who):
                    yield _line(name, "~" if before else "<", shown)
        gone = {key for key in self._known if key[0] == who} - {(who, shown.id) for shown in screen}
        for key in sorted(gone):
            yield f"{who} x {self._known.pop(key)[1]}"

    async def _check_nothing_leaked(self, line: str) -> None:
        """No word of a note stands on a requester's screen."""

        async def look(tx: Transaction) -> list[str]:
            rows = await tx.all(store.messages.select().where(store.messages.c.kind == "note"))
            return [row.text for row in rows if row.text]

        notes = await self._town.database.read(look)
        for who in ("ivan", "petr"):
            screen = "\n".join(shown.text for shown in await self._town[who].sees())
            assert not [note for note in notes if note in screen], f"{who} reads a note after {line!r}"


def _line(name: str, sign: str, shown: Shown) -> str:
    words = " / ".join(shown.text.splitlines())
    buttons = "".join(f" [{label}]" for label in shown.buttons)
    alone = " (only)" if shown.only else ""
    return f"{name}{alone} {sign} {words}{buttons}"


async def _say(person: Somebody, says: re.Match[str]) -> None:
    words = says["words"].replace("\\n", "\n")
    files = [(says["file"], b"17")] if says["file"] else []
    if says["ticket"]:
        await person.say_below(int(says["ticket"]), words, files=files)
    else:
        await person.say(words, files=files)


async def _press(person: Somebody, label: str, form: str | None) -> None:
    if form is None:
        await person.press(label)
        return
    values = dict(pair.split("=", 1) for pair in form.split("; "))
    await person.fill(label, **{name: value.strip() for name, value in values.items()})


async def played(script: Path, folder: Path) -> str:
    """What the script becomes on a desk of its language."""
    async with opened(folder, f'[desk]\nlanguage = "{script.parent.name}"\n') as town:
        return await Player(town).play(script.read_text(encoding="utf-8"))


async def _write_all() -> None:
    for script in sorted(SCRIPTS.glob("*/*.txt")):
        with tempfile.TemporaryDirectory() as folder:
            script.write_text(await played(script, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(_write_all())
