"""The wall clock jumps while the desk runs: what is due is done at once, and nothing twice."""

import json
from datetime import timedelta
from pathlib import Path

from tests.faults.clocks import Clock
from tests.process.conftest import Yard
from tests.process.desk import DEMO

SLOW = DEMO.replace('"1s"', '"20m"').replace('"2s"', '"90m"').replace('"3s"', '"26h"')
HOUR = timedelta(hours=1)


async def test_a_clock_that_jumps_ahead_and_back_costs_no_ping_and_makes_none(
    yard: Yard, tmp_path: Path
) -> None:
    clock = Clock(tmp_path)
    desk = yard.desk(config=SLOW)
    desk.environment |= clock.environment
    await desk.start()
    ivan, anna = await yard.signed_in(desk, "ivan", "anna")
    await ivan.say("The VPN is down")
    for label in ("Office", "Nobody can work", "Send"):
        await ivan.press(label)
    await anna.card("VPN is down")
    clock.jump(HOUR)
    first = await anna.sees(lambda each: each.tone == "ping", "the first ping")
    clock.jump(-HOUR)
    await ivan.say("and it hurries")
    await anna.hears("and it hurries")
    clock.jump(2 * HOUR)
    await anna.press("Take it", lambda each: each.id == first.id)
    await ivan.hears("is on #1")
    told = await desk.ask("export", "--json")
    (ticket,) = json.loads(told.stdout)["tickets"]
    steps = [ping["step"] for ping in ticket["pings"]]
    assert steps in ([0], [0, 1])
    assert (await desk.ready())["components"]["scheduler"]["ok"]
    assert await desk.stop() == 0
    assert desk.oddities == []
