"""What the desk says, in the words of the reader's language."""

from bot.i18n.catalogue import guess, keys, languages
from bot.i18n.wording import WordingError, strict, word

__all__ = ["WordingError", "guess", "keys", "languages", "strict", "word"]
