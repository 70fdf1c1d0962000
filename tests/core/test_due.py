"""What a card says of a promise stays true although nobody touches the ticket."""

from datetime import timedelta

from tests.town import Town


async def test_a_card_says_by_itself_that_a_promise_has_fallen_due(town: Town) -> None:
    ivan, anna = town["ivan"], town["anna"]
    await ivan.say("/new The printer is out of toner")
    while "Send" not in (await ivan.last()).buttons:
        buttons = list((await ivan.last()).buttons)
        await ivan.press(
            "Skip" if "Skip" in buttons else "It can wait" if "It can wait" in buttons else buttons[0]
        )
    await ivan.press("Send")
    await anna.say("/take 1")
    assert "First reply due by 09:15" in (await anna.card(1)).text

    await town.later(timedelta(minutes=16))

    assert "First reply overdue since 09:15" in (await anna.card(1)).text
