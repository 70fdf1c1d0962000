"""The signs behind the names that Slack gives to the emoji people put under messages most."""

_SIGNS = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "heart": "❤️", "tada": "🎉", "pray": "🙏",
    "raised_hands": "🙌", "clap": "👏", "ok_hand": "👌", "fire": "🔥", "rocket": "🚀", "100": "💯",
    "joy": "😂",
    "smile": "😄", "slightly_smiling_face": "🙂", "grinning": "😀", "blush": "😊", "heart_eyes": "😍",
    "thinking_face": "🤔", "cry": "😢", "sob": "😭", "angry": "😠", "rage": "😡", "confused": "😕",
    "disappointed": "😞", "wave": "👋", "muscle": "💪", "star": "⭐", "x": "❌", "question": "❓",
    "exclamation": "❗", "warning": "⚠️", "handshake": "🤝", "bow": "🙇", "sweat_smile": "😅",
    "partying_face": "🥳",
}  # fmt: skip


def sign(name: str) -> str:
    """The emoji of this name, without its tone of skin; the name itself for one that is not known here."""
    plain = name.partition("::")[0]
    return _SIGNS.get(plain, f":{plain}:")
