"""The web server: its routes put together, started on a port and stopped within a second."""

import errno
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry

from bot.web import chat_routes, events, file_routes, guard, health, pages, shell
from bot.web.hub import Hub
from bot.web.pace import Pace
from bot.web.settings import (
    BODY_LIMIT,
    SEAT_PATH,
    SITE,
    HealthOf,
    Paces,
    Received,
    RoomsOf,
    Site,
    WebSettings,
)
from core.database.engine import Database
from core.files.blobs import Blobs
from core.kernel.clock import Clock, WallClock
from core.kernel.errors import SetupError

_STOP_WITHIN = 0.5
_WHY: dict[int, str] = {
    errno.EADDRINUSE: "is taken. Stop the other program or choose another web.port.",
    errno.EACCES: "may not be opened. Choose a web.port above 1023.",
}


def build(
    settings: WebSettings,
    *,
    database: Database,
    blobs: Blobs,
    rooms_of: RoomsOf,
    health_of: HealthOf,
    registry: CollectorRegistry,
    received: Received = lambda platform, fresh, repeated: None,
    clock: Clock | None = None,
) -> web.Application:
    """The application with all its routes; more may be added before it is served."""
    app = web.Application(
        middlewares=[guard.answer_errors, guard.check_host, guard.check_origin],
        client_max_size=BODY_LIMIT,
    )
    app[SITE] = Site(
        settings=settings,
        database=database,
        blobs=blobs,
        rooms_of=rooms_of,
        health=health_of,
        received=received,
        registry=registry,
        clock=clock or WallClock(),
        hub=Hub(database),
        paces=Paces(sign_in=Pace(30, 0.5), visit=Pace(30, 0.5), act=Pace(300, 20), upload=Pace(60, 1)),
    )
    app.on_response_prepare.append(guard.add_headers)
    app.on_shutdown.append(events.close)
    app.add_routes([*health.routes(), *pages.routes(), *chat_routes.routes(), *file_routes.routes()])
    app.router.add_get(SEAT_PATH + "/events", events.events, allow_head=False)
    app.router.add_static("/static", shell.HERE / "static")
    return app


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that listens."""

    port: int
    _runner: web.AppRunner

    async def stop(self) -> None:
        """End every stream, let what is under way finish for half a second, and close."""
        await self._runner.cleanup()


async def serve(app: web.Application) -> Serving:
    """Listen where the settings say. Raises SetupError when that cannot be."""
    settings = app[SITE].settings
    runner = web.AppRunner(
        app,
        handle_signals=False,
        access_log=None,
        shutdown_timeout=_STOP_WITHIN,
        auto_decompress=False,  # no browser packs what it sends; only bombs come packed
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        await runner.cleanup()
        why = _WHY.get(error.errno or 0, "cannot be opened. Check web.host and web.port.")
        raise SetupError(f"web.port: {settings.port} on {settings.host} {why}") from None
    return Serving(runner.addresses[0][1], runner)
