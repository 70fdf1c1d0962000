"""Telegram, through python-telegram-bot as the typed client of the Bot API."""

import os

os.environ.setdefault("PTB_TIMEDELTA", "1")  # before telegram is imported: spans are timedeltas
