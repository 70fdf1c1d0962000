"""What the desk says, in the words of the reader's language."""

from bot.i18n.catalogue import guess, in_every_language, keys, languages
from bot.i18n.wording import WordingError, strict, word

__all__ = ["WordingError", "guess", "in_every_language", "keys", "languages", "strict", "word"]
