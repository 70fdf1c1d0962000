"""Telegram, through python-telegram-bot as the typed client of the Bot API."""

import os
import warnings

os.environ.setdefault("PTB_TIMEDELTA", "1")  # before telegram is imported: spans are timedeltas
warnings.filterwarnings("ignore", message="Please use 'Bot")  # where an answer shall stay as it came
