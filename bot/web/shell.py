"""The HTML around what the page shows: templates filled in, and JSON that cannot break out of them."""

import html
import json
import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web

from bot import i18n
from bot.web import wording
from bot.web.settings import LANGUAGE, SITE

HERE = Path(__file__).parent
_ESCAPED = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
_ICON = '<link rel="icon" href="/static/icon.svg" type="image/svg+xml">'
_GO_ON = string.Template(
    f'<!doctype html><html><head><meta charset="utf-8">{_ICON}'
    '<meta http-equiv="refresh" content="0;url=$to"></head></html>'
)
_SAY = string.Template(
    '<!doctype html><html lang="$language"><head><meta charset="utf-8"><title>$title</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    f'<meta name="color-scheme" content="light dark">{_ICON}'
    '<link rel="stylesheet" href="/static/app.css"></head><body><main class="lone">'
    '<img src="/static/icon.svg" alt="" width="56" height="56"><h1>$sentence</h1>'
    '<a class="button" href="/">$start</a></main></body></html>'
)


def language_of(request: web.Request) -> str:
    """The language of who asks; a guess while we do not know them."""
    known: str | None = request.get(LANGUAGE)
    return known or i18n.guess(request.headers.get("Accept-Language"), request.app[SITE].settings.language)


def plain(sentence: str, language: str, status: int) -> web.Response:
    """A page that says one sentence, and leads back."""
    words = wording.page_words(language)
    body = _SAY.substitute(
        language=language,
        title=html.escape(words["page.brand"]),
        sentence=html.escape(sentence),
        start=html.escape(words["page.start"]),
    )
    return web.Response(text=body, content_type="text/html", status=status)


@cache
def _template(name: str) -> string.Template:
    return string.Template((HERE / name).read_text(encoding="utf-8"))


def in_script(value: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(value).translate(_ESCAPED)


def page(name: str, language: str, given: Mapping[str, Any], status: int = 200) -> web.Response:
    words = wording.page_words(language)
    body = _template(name).substitute(
        language=language,
        title=html.escape(words.get("page.brand", "Deskbridge")),
        seat_json=in_script({**given, "language": language, "languages": i18n.languages, "words": words}),
    )
    return web.Response(text=body, content_type="text/html", status=status)


def go_on(to: str) -> web.Response:
    """Lead on by the page itself: a redirect would arrive without SameSite=Strict cookies
    when the way began on another site."""
    return web.Response(text=_GO_ON.substitute(to=html.escape(to)), content_type="text/html")
