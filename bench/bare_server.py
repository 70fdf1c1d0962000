"""The floor of an acknowledgement: an aiohttp handler that commits one row with sqlite3 and says yes."""

import json
import sqlite3
import sys

from aiohttp import web

from bench import floor


def main(port: int, path: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in floor.PRAGMAS:
        connection.execute(pragma)
    connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, body TEXT)")

    async def say(request: web.Request) -> web.Response:
        connection.execute("INSERT INTO bare (body) VALUES (?)", (json.dumps(await request.json()),))
        return web.json_response({})

    async def ready(request: web.Request) -> web.Response:
        return web.json_response({})

    app = web.Application()
    app.add_routes([web.post("/s/{seat}/say", say), web.get("/readyz", ready)])
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
