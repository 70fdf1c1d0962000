"""A ping that could not come in time says so."""

from datetime import timedelta

from tests.flows.conftest import Stage, texts


async def test_how_late_a_ping_is_stands_in_every_language(stage: Stage) -> None:
    await stage.report(stage.ivan, urgency="critical")
    stage.town.clock.advance(timedelta(minutes=20, seconds=15))
    await stage.town.restart()
    await stage.town.settle()
    span = {"en": "20 min", "ru": "20 минут"}[stage.language]
    assert any(stage.w("ping.late", span=span) in text for text in texts(await stage.anna.sees()))
