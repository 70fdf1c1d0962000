"""What a process held when it died is taken up by the next one at once, not when the lease runs out."""

from datetime import timedelta

from tests.town import Shown, Town


async def report(town: Town) -> None:
    """A ticket whose first ping is due."""
    ivan = town["ivan"]
    await ivan.say("VPN drops every ten minutes")
    for label in ("The office", "Only me", "Skip", "Nobody can work", "Send"):
        await ivan.press(label)
    town.clock.advance(timedelta(seconds=16))


async def pings(town: Town) -> list[Shown]:
    return [shown for shown in await town["anna"].sees() if shown.tone == "ping"]


async def test_a_timer_claimed_by_a_dead_process_fires_at_the_first_tick(town: Town) -> None:
    await report(town)
    assert [timer.kind for timer in await town.house.desk.claim_timers()] == ["escalate"]
    await town.restart()
    await town.settle()
    assert len(await pings(town)) == 1


async def test_a_process_that_only_seemed_dead_fires_nothing_twice(town: Town) -> None:
    await report(town)
    held = await town.house.desk.claim_timers()
    await town.restart()
    assert [await town.house.desk.fire(timer) for timer in held] == [False]
    await town.settle()
    assert len(await pings(town)) == 1
