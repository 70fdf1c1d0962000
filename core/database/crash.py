"""A hook for tests: the process dies without a word right before or right after a chosen commit.

DESKBRIDGE_TEST_CRASH_AT=7 dies right before the seventh commit of the process, 7+ right after it. Without
the variable nothing of this happens.
"""

import os
import signal
from collections.abc import Mapping

VARIABLE = "DESKBRIDGE_TEST_CRASH_AT"


class Crash:
    """Counts the commits down; the writer tells it of each."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        asked = environ.get(VARIABLE, "")
        self._left = int(asked.rstrip("+") or 0)
        self._after = asked.endswith("+")

    def before_commit(self) -> None:
        self._left -= 1
        if not self._after:
            self._die_if_due()

    def after_commit(self) -> None:
        if self._after:
            self._die_if_due()

    def _die_if_due(self) -> None:
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
