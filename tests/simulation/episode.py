"""One seed: some hundred steps in all weathers, then calm, and everything must be as it should be."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from time import process_time

from tests.simulation import faults, truths
from tests.simulation.people import ANSWERING, JOINING, NOTING, OWNING, STEERING, Person
from tests.simulation.world import World

STEPS = 600
LOOKED_EVERY = 50
"""After so many steps everything that must always hold is looked at."""
PAUSES = (0.02, 0.05, 0.05, 0.2, 0.2, 0.5, 1.0)
SPANS = (5.0, 16.0, 31.0, 61.0, 190.0, 910.0, 3700.0)


@dataclass
class Outcome:
    """What became of an episode."""

    seed: int
    replicas: int
    steps: int = 0
    callbacks: int = 0
    commits: int = 0
    hash: str = ""
    seconds: float = 0.0
    wrong: str = ""
    trace: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def _requester(world: World) -> Person:
    return world.people[world.chance.choice(("ivan", "olga", "petr", "lena"))]


def _agent(world: World) -> Person:
    return world.people[world.chance.choice(("anna", "boris", "maria"))]


def _time_goes_by(world: World) -> None:
    span = world.chance.choice(SPANS)
    world.note("leap", span)
    for _ in range(2 if span > 30 else 1):
        world.loop.advance(span / 2, leap=True)
        world.loop.advance(0.3)


ACTS: tuple[tuple[int, Callable[[World], None]], ...] = (
    (10, lambda world: _requester(world).reports()),
    (22, lambda world: _requester(world).goes_on()),
    (5, lambda world: _requester(world).presses_anything()),
    (2, lambda world: _requester(world).says_a_word()),
    (2, lambda world: _requester(world).edits()),
    (5, lambda world: _agent(world).commands(OWNING)),
    (8, lambda world: _agent(world).commands(ANSWERING)),
    (3, lambda world: _agent(world).commands(NOTING, secret=True)),
    (6, lambda world: _agent(world).commands(STEERING)),
    (3, lambda world: _agent(world).commands(JOINING)),
    (4, lambda world: _agent(world).writes_in_the_thread()),
    (6, lambda world: _agent(world).presses_a_card()),
    (10, _time_goes_by),
)
DOES = [act for weight, act in ACTS for _ in range(weight)]


def run(seed: int, replicas: int = 1, steps: int = STEPS) -> Outcome:
    """Play the episode of this seed. The same seed and numbers give the same hash, wherever and whenever."""
    began = process_time()
    told = Outcome(seed, replicas)
    with World(seed, replicas) as world:
        try:
            _play(world, told, steps)
        except AssertionError as error:
            told.wrong = f"{error}\n{traceback.format_exc(limit=-3)}"
        told.wrong = told.wrong or "\n".join(world.wrong[:3])
        told.hash, told.counts, told.trace = world.hash, world.counts, list(world.trace)
        told.callbacks, told.commits = world.loop.callbacks, world.server.commits
    told.seconds = process_time() - began
    return told


def _play(world: World, told: Outcome, steps: int) -> None:
    chance: Random = world.chance
    world.loop.advance(0.5)
    unlucky = chance.choice((0.0, 0.1, 0.2, 0.4))
    while told.steps < steps and not world.wrong:
        told.steps += 1
        if chance.random() < 0.55:
            world.loop.advance(chance.choice(PAUSES))
        elif chance.random() < unlucky:
            chance.choice(faults.ALL)(world)
        else:
            chance.choice(DOES)(world)
        world.bury_the_dead()
        while len(world.crew) < world.replicas and chance.random() < 0.3:
            world.bear()
        _hold(world)
        if told.steps % LOOKED_EVERY == 0:
            world.look(lambda tx: truths.at_every_instant(world, tx))
    if not world.wrong:
        _calm_down(world, told)


def _hold(world: World) -> None:
    world.wrong += world.loop.failures


def _calm_down(world: World, told: Outcome) -> None:
    """All is well again, and time goes by until nothing is left to do."""
    faults.heal(world)
    while len(world.crew) < world.replicas:
        world.bear()
    world.note("calm")
    for _ in range(100):
        told.steps += 1
        world.loop.advance(70.0, leap=True)
        world.loop.advance(3.0)
        world.bury_the_dead()
        while len(world.crew) < world.replicas:
            world.bear()
        _hold(world)
        if world.wrong:
            return
        if world.idle() and world.look(truths.nothing_waits):
            break
    world.look(lambda tx: truths.at_rest(world, tx))
