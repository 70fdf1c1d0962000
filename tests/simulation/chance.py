"""What the machine decides otherwise: its clock, its own dice, and which sentences there are."""

import contextlib
import gc
import random
import secrets
import time
from collections.abc import Callable, Iterator
from unittest import mock

from bot import i18n


@contextlib.contextmanager
def decided(seed: int, monotonic: Callable[[], float]) -> Iterator[None]:
    """Within it whatever is drawn or measured in this interpreter hangs on the seed and the virtual time."""
    dice = random.Random(seed + 3)
    before = random.getstate()
    random.seed(seed + 4)
    gc.collect()  # what is swept away is swept away between two episodes, not at some allocation
    if not gc.get_freeze_count():
        gc.freeze()  # what was loaded is not looked through again
    gc.disable()

    def drawn(size: int | None = None) -> str:
        return dice.randbytes(size or 16).hex()

    with (
        mock.patch.object(secrets, "token_hex", drawn),
        mock.patch.object(secrets, "token_urlsafe", drawn),
        mock.patch.object(secrets, "token_bytes", lambda size=16: dice.randbytes(size)),
        mock.patch.object(secrets, "choice", dice.choice),
        mock.patch.object(secrets, "randbelow", dice.randrange),
        mock.patch.object(time, "monotonic", monotonic),
        i18n.strict(),
    ):
        try:
            yield
        finally:
            random.setstate(before)
            gc.enable()
