"""Histories that went wrong once, each told in a few lines."""

from tests.stateful import truths
from tests.town import Somebody, Town


async def report(person: Somebody, words: str) -> None:
    """From the first words to a ticket, whatever is asked in between."""
    await person.say(f"/new {words}")
    while "Send" not in (buttons := (await person.last()).buttons):
        wanted = ("Skip", "Nobody can work", *buttons)
        await person.press(next(label for label in wanted if label in buttons))
    await person.press("Send")


async def test_words_moved_twice_end_in_one_place_and_leave_no_request_that_cannot_be_sent(
    town: Town,
) -> None:
    ivan = town["ivan"]
    await report(ivan, "VPN drops")
    await report(ivan, "VPN drops again")
    await ivan.say("The printer smokes n1x")
    await ivan.press("Change")
    await ivan.press("A new request")
    await ivan.press("Change")
    await ivan.press("#1 VPN drops")
    found = await town.database.read(truths.places)
    assert found.live["n1x"] == 1
    assert found.drafted["n1x"] == 0
    assert not [shown for shown in await ivan.sees() if "Cancel" in shown.buttons]
