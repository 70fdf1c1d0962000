"""What must be asked before an event can be read is asked anew when it was forgotten, but not for ever."""

import pytest

from bot import learning
from bot.learning import Learning
from core.inbox.model import Letter
from tests.town import Town


class Forgetful:
    """A platform that answers, and whose answer is lost right away."""

    def __init__(self) -> None:
        self.asked = 0

    async def learn(self, body: object) -> None:
        self.asked += 1


async def test_an_answer_that_was_forgotten_is_asked_for_again_a_few_times(town: Town) -> None:
    platform = Forgetful()
    adapters = {"web": platform}
    asking = Learning(town.database, adapters, lambda: None)  # type: ignore[arg-type]
    letter = Letter(1, "web", "web", "a lane", {}, 0, town.clock.now())
    for _ in range(learning.ENOUGH):
        asking.begin("a lane", letter)
        for task in [*asking.under_way]:
            await task
    with pytest.raises(ValueError, match="cannot be read"):
        asking.begin("a lane", letter)
    assert platform.asked == learning.ENOUGH > 1
