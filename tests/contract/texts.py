"""Words that every messenger must carry as they are, whatever they mean to some messenger."""

TEXTS = {
    "slack mentions": "<!channel> <!here> <@U012AB3CD> <#C024BE7LR|general> @channel @here",
    "slack links": "<http://example.org|a bank> <mailto:a@example.org|mail> <#> <@> <!>",
    "slack marks": "*bold* _italic_ ~struck~ `code` ```pre``` > quoted &amp; &lt; &gt; & < >",
    "telegram html": '<b>bold</b> <a href="https://example.org">a bank</a> <tg-spoiler>x</tg-spoiler> & < >',
    "telegram markdown": r"_a_ *b* [c](tg://user?id=1) ~d~ `e` ||f|| >g #h +i -j =k {l} .m !n \ \* \\",
    "web": "<script>alert(1)</script><img src=x onerror=alert(1)> {{7*7}} ${7*7} %s %(x)s {0} {name}",
    "matrix and markdown": "# head\n> quoted\n* item\n1. one\n---\n| a | b |\n[x]: http://example.org",
    "a command in the middle": "then I typed /take 1 and @deskbot said /help",
    "our own braces": "{ticket} {count} told.opened",
    "emoji": "😀 👩‍👩‍👧‍👦 👍🏽 🇷🇺 ❤️ :smile: :) ✅ 5️⃣",
    "russian": "Принтер на 3-м этаже не печатает: «ошибка №5», ёлки-палки…",
    "right to left": "السلام عليكم — שלום — abc \u202egpj.exe\u202c \u200f",
    "marks upon marks": "Z̷̢̛͔a̸͉͒l̵͙̆g̴̱̈́o e\u0301 и\u0306",
    "blanks that are kept": "a\u00a0b\u2003c\tд\n\n  indented\n\ttabbed",
    "quotes and slashes": "\"'`´‘’“”«» C:\\Users\\new\\table ../../etc/passwd %00 '; DROP TABLE tickets; --",
    "a link and a mail": "http://example.org/?a=1&b=2#c https://пример.рф/ж ivan@example.org www.example.org",
    "numbers": "+7 (495) 000-00-00, 1/2/2026, $5.00, 10*10=100, #42, -1",
    "json and code": '{"a": [1, 2, {"b": null}]}\nif (a < b && c > d) { return *p; }',
}
LONG = {
    "many paragraphs": "\n\n".join(
        f"{place}. " + "The client says *error* <17> & stops. " * 8 for place in range(40)
    ),
    "one endless word": "x" * 5000,
    "many emoji": "👩‍👩‍👧‍👦" * 900,
    "many lines": "\n".join(
        f"2026-11-25 09:{place % 60:02} <ERR> socket_{place} *closed*" for place in range(400)
    ),
}


def letters_of(text: str) -> str:
    """The text without its blanks: what must arrive however it was split."""
    return "".join(text.split())
