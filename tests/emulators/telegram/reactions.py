"""The reactions there are. Bot API: ReactionTypeEmoji."""

_ROWS = (
    "👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤\u200d🔥",
    "🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨\u200d💻 👀 🎃 🙈 😇 😨",
    "🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷\u200d♂ 🤷 🤷\u200d♀ 😡",
)
ALLOWED = frozenset(emoji for row in _ROWS for emoji in row.split())


def known(emoji: str) -> bool:
    """Whether there is such a reaction, with or without the sign that asks for a picture."""
    return emoji.replace("\ufe0f", "") in ALLOWED
