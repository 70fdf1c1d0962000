"""What goes wrong, drawn by lot: messengers, processes, the database, bells, clocks."""

from datetime import timedelta

from bot.adapters.port import Raw
from tests.simulation.people import Event
from tests.simulation.platforms import CALM, POISON, Weather
from tests.simulation.replica import Replica
from tests.simulation.world import World

STORMS = (
    Weather(busy=0.3),
    Weather(later=0.3),
    Weather(unanswered=0.3),
    Weather(lost=0.3),
    Weather(slow=0.3),
    Weather(0.1, 0.1, 0.1, 0.1, 0.05),
    Weather(busy=0.95),
)


def weather(world: World) -> None:
    platform = world.chance.choice(list(world.platforms.values()))
    platform.weather = CALM if platform.weather is not CALM else world.chance.choice(STORMS)
    world.note("weather", platform.name, platform.weather)


def outage(world: World) -> None:
    """A whole messenger cannot be reached, or can again."""
    platform = world.chance.choice(list(world.platforms.values()))
    platform.away = not platform.away
    world.note("outage" if platform.away else "outage_over", platform.name)


def block(world: World) -> None:
    """Somebody wants to hear nothing more of the desk, or does again."""
    person = world.chance.choice(list(world.people.values()))
    blocked = person.platform.blocked
    if person.direct in blocked:
        blocked.discard(person.direct)
        world.note("unblocks", person.name)
    else:
        blocked.add(person.direct)
        world.note("blocks", person.name)


def _living(world: World) -> list[Replica]:
    return [each for each in world.crew if each.process.alive]


def kill(world: World) -> None:
    if living := _living(world):
        replica = world.chance.choice(living)
        replica.process.kill()
        world.note("killed", replica.name)


def fuse(world: World) -> None:
    """Somebody dies after so many callbacks: at any await."""
    if living := _living(world):
        replica = world.chance.choice(living)
        replica.process.fuse = world.chance.randrange(1, 120)
        world.note("fuse", replica.name, replica.process.fuse)


def doom(world: World) -> None:
    """Somebody dies at one of their next commits, before it or after it."""
    if living := _living(world):
        replica = world.chance.choice(living)
        replica.front.doomed = world.chance.randrange(1, 12) * world.chance.choice((1, -1))
        world.note("doom", replica.name, replica.front.doomed)


def stop(world: World) -> None:
    running = [each for each in _living(world) if not each.process.stopped]
    if running:
        replica = world.chance.choice(running)
        replica.process.stop()
        span = world.chance.choice((0.5, 3.0, 20.0, 65.0, 200.0))
        world.note("stopped", replica.name, span)
        world.loop.outside(span, go_on, world, replica)


def go_on(world: World, replica: Replica) -> None:
    if replica.process.stopped:
        replica.process.go_on()
        world.server.awaited()
        world.note("goes_on", replica.name)


def leave(world: World) -> None:
    """Somebody is ended in order."""
    if ready := [each for each in world.crew if each.hears]:
        world.chance.choice(ready).leave()
        world.note("leaves")


def stall(world: World) -> None:
    world.server.stalled_until = world.loop.time() + world.chance.choice((0.5, 2.0, 8.0))
    world.note("stall")


def refuse(world: World) -> None:
    world.server.refusals = world.chance.randrange(1, 8)
    world.note("refusals", world.server.refusals)


def unsure(world: World) -> None:
    world.server.unsure = world.chance.randrange(1, 3)
    world.note("unsure_commits", world.server.unsure)


def deafen(world: World) -> None:
    world.server.deaf = world.chance.choice((0.0, 0.0, 0.3, 1.0))
    world.note("bells", world.server.deaf)


def poison(world: World) -> None:
    """A messenger tells what nobody can read; the conversation goes on without it."""
    person = world.chance.choice(list(world.people.values()))
    body = {"who": person.account, "kind": POISON}
    raw = Raw(f"{POISON}:{person.platform.number()}", person.direct, body)
    world.tell(person.platform, Event(raw, None))
    world.note("poison", person.name)


def jump(world: World) -> None:
    by = world.chance.choice((-7300, -45, -3, -0.3, 0.3, 30, 4000))
    world.set_clock(timedelta(seconds=by))
    world.note("clock", by)


ALL = (
    weather, weather, weather, outage, block, kill, fuse, doom, doom, stop, stop, leave, stall, refuse,
    unsure, deafen, jump, poison,
)  # fmt: skip


def heal(world: World) -> None:
    """Everything is well from now on."""
    for platform in world.platforms.values():
        platform.weather, platform.away = CALM, False
        platform.blocked.clear()
    for replica in list(world.crew):
        go_on(world, replica)
        replica.process.fuse, replica.front.doomed = None, 0
        replica.skew = timedelta(0)
    server = world.server
    server.refusals = server.unsure = 0
    server.stalled_until = server.deaf = 0.0
