"""The heartbeat: an address elsewhere is called while all is well, and raises the alarm once it is not."""

import logging

import aiohttp

_log = logging.getLogger(__name__)
AT_MOST = aiohttp.ClientTimeout(total=10)
REDIRECTS = 3


class Heartbeat:
    """Calls one address. The address may hold a token, so it is told to nobody, in no log and no error."""

    def __init__(self, url: str, at_most: aiohttp.ClientTimeout = AT_MOST) -> None:
        self._url = url
        self._at_most = at_most
        self._taken = True

    async def send(self) -> bool:
        """Whether it was taken, with a status below 300. Never raises; trouble is logged once until it is
        over."""
        trouble = await self._trouble()
        if trouble and self._taken:
            _log.warning("the heartbeat is not taken: %s", trouble)
        elif not trouble and not self._taken:
            _log.info("the heartbeat is taken again")
        self._taken = not trouble
        return self._taken

    async def _trouble(self) -> str:
        """What went wrong, in words that hold nothing of the address."""
        try:
            async with (
                aiohttp.ClientSession(timeout=self._at_most) as session,
                session.post(self._url, max_redirects=REDIRECTS) as answer,
            ):
                return "" if answer.status < 300 else f"status {answer.status}"
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__
