"""The codes behind buttons and forms: short words joined by dots, at most 60 ASCII bytes.

A code says what was pressed; who pressed it is told by the messenger, and that alone decides what is allowed.
"""

LIMIT = 60


def code(*parts: object) -> str:
    """Join the parts. Raises ValueError past the limit or for a part with a dot."""
    words = [str(part) for part in parts]
    joined = ".".join(words)
    if len(joined) > LIMIT or not joined.isascii() or any("." in word for word in words):
        raise ValueError(f"{joined!r} cannot be a code")
    return joined


def parts(pressed: str) -> list[str]:
    """What `code` joined. A number no code of ours can hold is an empty word."""
    return ["" if len(word) > 18 and word.isdecimal() else word for word in pressed.split(".")]


def is_number(word: str) -> bool:
    """Whether a part of a code is a whole number that an id can be."""
    return word.isascii() and word.isdecimal()
