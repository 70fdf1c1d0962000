"""{telegram, slack, webchat} requester × {telegram, slack, webchat} agent: twenty steps, one ticket.

After each step every copy of the card says the same, and the requester has read no word of a note."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from core.tickets.catalogue import Priority
from core.tickets.model import Status, Ticket
from tests.matrix.seats import AGENTS, REQUESTERS, Agent, Requester
from tests.matrix.world import World, world

NOTE, SECOND_NOTE = "he always forgets his token", "do not tell him about the outage"
MARKUP = "<!channel> <b>bold</b> *bold* [link](http://127.0.0.1/) &amp; `code` {0.__class__} %s"
LONG = " ".join(f"word-{number}" for number in range(1500))
LOG = bytes(range(256)) * 20
TEXTS = {
    "en": ("VPN drops every ten minutes", "The office", "Only me"),
    "ru": ("VPN отваливается каждые десять минут", "Из офиса", "Только у меня"),
}


class Stage:
    """The two at one ticket, and the eyes of the other agents."""

    def __init__(self, town: World, asker: str, helper: str, language: str) -> None:
        self.world = town
        self.language = language
        self.requester: Requester = REQUESTERS[asker](town)
        self.agents: list[Agent] = [AGENTS[each](town, language) for each in AGENTS]
        self.agent: Agent = AGENTS[helper](town, language)

    def word(self, key: str, **facts: object) -> str:
        return self.world.word(key, self.language, **facts)  # type: ignore[arg-type]

    async def ticket(self) -> Ticket:
        return await self.world.ticket(1)

    async def holds(self) -> None:
        """What must hold after each step."""
        read = await self.requester.ever_read()
        assert NOTE not in read
        assert SECOND_NOTE not in read
        ticket = await self.ticket()
        owner = await self._name(ticket)
        for agent in self.agents:
            card = await agent.card()
            assert self.word(f"status.{ticket.status}") in card or ticket.status is Status.NEW, card
            assert owner in card or ticket.status is Status.CLOSED, card

    async def _name(self, ticket: Ticket) -> str:
        return self.agent.name if ticket.owner is not None else self.word("name.nobody")

    async def all_read(self, words: str) -> None:
        """It stands in the ticket's thread in every messenger."""
        for agent in self.agents:
            assert words in await agent.thread(), f"{agent.name} does not read {words!r}"

    async def hears(self, *words: str) -> None:
        """The requester's newest message says this."""
        newest = (await self.requester.reads())[-1]
        assert all(each in newest for each in words), newest


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize(("asker", "helper"), list(itertools.product(REQUESTERS, AGENTS)))
async def test_the_twenty_steps(tmp_path: Path, asker: str, helper: str, language: str) -> None:
    async with world(tmp_path, language) as town:
        stage = Stage(town, asker, helper, language)
        requester, agent, word = stage.requester, stage.agent, stage.word
        text, office, only_me = TEXTS[language]

        # 1. A report in the requester's own words, answered with buttons.
        await requester.says(text)
        for label in (office, only_me, word("button.skip"), word("urgency.normal")):
            await requester.presses(label)
        # 2. Sent, it has a number, and a card in every messenger.
        await requester.presses(word("button.send"))
        assert any("#1" in each for each in await requester.reads())
        for each in stage.agents:
            assert text in await each.card()
        await stage.holds()

        # 3. Somebody takes it; the requester reads who.
        await agent.presses(word("button.take"))
        await stage.hears(agent.name)
        await stage.holds()

        # 4. A reply crosses, and is seen to have arrived.
        await agent.fills(word("button.reply"), word("form.text"), "Which version is it?")
        await stage.hears("Which version is it?", agent.name)
        await stage.all_read("Which version is it?")
        assert word("said.delivered") in await agent.thread()
        # 5. The answer crosses back.
        await requester.says("It is 5.1, since Monday")
        await stage.all_read("It is 5.1, since Monday")
        await stage.holds()

        # 6. Plain words in the thread stay there.
        await agent.notes(NOTE)
        await stage.all_read(NOTE)
        await stage.holds()

        # 7. Markup of every messenger is shown as what was typed.
        await requester.says(MARKUP)
        await stage.all_read(MARKUP)
        assert not any(each.pings for each in town.channel.messages)
        await agent.commands("reply", MARKUP)
        await stage.hears(MARKUP)
        # 8. A file crosses to staff.
        await requester.brings("trace.log", LOG)
        assert (await agent.has())["trace.log"] == LOG
        # 9. Long words lose nothing.
        await requester.says(LONG)
        seen = await agent.thread()
        assert [each for each in LONG.split() if each not in seen] == []
        # 10. An edit changes every copy.
        await requester.edits("since Monday", "It is 5.1, since Tuesday")
        await stage.all_read("since Tuesday")
        for each in stage.agents:
            assert "since Monday" not in await each.thread()
        await stage.holds()

        # 11. The priority shows on every card.
        await agent.commands("priority", "high")
        assert (await stage.ticket()).priority is Priority.HIGH
        for each in stage.agents:
            assert (await each.card()).startswith("🟠")
        # 12. Waiting, with a question.
        await agent.fills(word("button.wait"), word("form.question"), "Does it happen at home too?")
        await stage.hears("Does it happen at home too?")
        assert (await stage.ticket()).status is Status.WAITING
        await stage.holds()
        # 13. The answer brings it back.
        await requester.says("No, never at home")
        assert (await stage.ticket()).status is Status.OPEN
        await stage.all_read("No, never at home")
        # 14. On hold and on.
        await agent.commands("hold")
        assert (await stage.ticket()).status is Status.ON_HOLD
        await stage.holds()
        await agent.commands("resume")
        assert (await stage.ticket()).status is Status.OPEN
        # 15. A reply that is taken back is gone.
        await agent.commands("reply", "Throw the laptop away")
        await stage.hears("Throw the laptop away")
        await agent.undoes("Throw the laptop away", word("button.undo"))
        assert not any("Throw the laptop away" in each for each in await requester.reads())
        await stage.all_read(word("said.withdrawn"))
        await stage.holds()

        # 16. Solved, and the requester is asked.
        await agent.fills(word("button.resolve"), word("form.solution"), "Reinstalled the driver")
        await stage.hears("Reinstalled the driver", word("told.is_it_fixed"))
        assert (await stage.ticket()).status is Status.RESOLVED
        await stage.holds()
        # 17. It is not: back to the same agent.
        town.clock.advance(timedelta(minutes=1))
        await requester.presses(word("button.not_fixed"))
        assert (await stage.ticket()).status is Status.OPEN
        await stage.holds()
        # 18. Another note, another solution.
        await agent.notes(SECOND_NOTE)
        await agent.commands("resolve", "Replaced the access point")
        await stage.hears("Replaced the access point")
        await stage.holds()
        # 19. Fixed.
        await requester.presses(word("button.fixed"))
        assert (await stage.ticket()).status is Status.CLOSED
        # 20. Rated, with a word.
        await requester.presses("★★★★★")
        await requester.says("quick and kind")
        await stage.all_read("quick and kind")
        await stage.holds()
