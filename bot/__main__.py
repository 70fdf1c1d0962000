"""`python -m bot` is `deskbridge`."""

import sys

from bot.cli import main

sys.exit(main())
