"""MarkdownV2 and the old Markdown: what `parse_mode` reads besides HTML."""

from tests.emulators.telegram.entities import Entity, ordered, units
from tests.emulators.telegram.markup_html import link_entity, refused

RESERVED = "_*[]()~`>#+-=|{}.!"
NAMES = {
    "*": ("bold", "Bold"),
    "_": ("italic", "Italic"),
    "__": ("underline", "Underline"),
    "~": ("strikethrough", "Strikethrough"),
    "||": ("spoiler", "Spoiler"),
    "`": ("code", "Code"),
    "```": ("pre", "Pre"),
    "[": ("text_link", "TextUrl"),
    "![": ("custom_emoji", "CustomEmoji"),
}


def parse(source: str) -> tuple[str, list[Entity]]:
    """Bot API: MarkdownV2 style. Eighteen signs are reserved: outside an entity each must be escaped with a
    `\\`."""
    return _Parser(source).run()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.open: list[tuple[str, int, int]] = []
        self.entities: list[Entity] = []
        self.quote: tuple[int, bool] | None = None
        self.languages: dict[int, str] = {}

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            if self._line_start():
                continue
            self._sign()
        if self.open:
            mark, _, began = self.open[-1]
            raise refused(f"Can't find end of {NAMES[mark][1]} entity at byte offset {self._offset(began)}")
        self._end_quote()
        return "".join(self.out), ordered(self.entities)

    def _offset(self, at: int) -> int:
        return len(self.source[:at].encode())

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.size += units(text)

    def _line_start(self) -> bool:
        """Bot API: lines that begin with `>` are one block quotation; `**>` and a final `||` make it
        expandable."""
        if (self.at and self.source[self.at - 1] != "\n") or (self.open and self.open[-1][0] in ("`", "```")):
            return False
        if self.source.startswith("**>", self.at):
            self._end_quote()
            self.quote = (self.size, True)
            self.at += 3
        elif self.source.startswith(">", self.at):
            self.quote = self.quote or (self.size, False)
            self.at += 1
        else:
            self._end_quote()
            return False
        return True

    def _end_quote(self) -> None:
        if self.quote is None:
            return
        start, expandable = self.quote
        self.quote = None
        length = self.size - start - (1 if self.out and self.out[-1] == "\n" else 0)
        if length:
            kind = "expandable_blockquote" if expandable else "blockquote"
            self.entities.append({"type": kind, "offset": start, "length": length})

    def _sign(self) -> None:
        sign = self.source[self.at]
        following = self.source[self.at + 1 : self.at + 2]
        if sign == "\\" and following and 0 < ord(following) <= 126:
            self._put(following)
            self.at += 2
        elif sign not in RESERVED:
            self._put(sign)
            self.at += 1
        elif self.open and self.open[-1][0] in ("`", "```"):
            self._inside_code(sign)
        elif not self._quote_mark() and not self._ends() and not self._starts():
            raise refused(f"Character '{sign}' is reserved and must be escaped with the preceding '\\'")

    def _quote_mark(self) -> bool:
        end = self.at + 2
        last = end == len(self.source) or self.source[end] == "\n"
        more = self.source.startswith("\n>", end)
        if not (self.quote and self.source.startswith("||", self.at) and last and not more):
            return False
        if any(mark == "||" for mark, _, _ in self.open):
            return False
        self.quote = (self.quote[0], True)
        self.at = end
        return True

    def _inside_code(self, sign: str) -> None:
        mark = self.open[-1][0]
        if self.source.startswith(mark, self.at):
            self.at += len(mark)
            self._close({})
        else:
            self._put(sign)
            self.at += 1

    def _ends(self) -> bool:
        if not self.open:
            return False
        mark = self.open[-1][0]
        if mark in ("[", "!["):
            return self.source[self.at] == "]" and self._end_link()
        if mark == "_" and self.source.startswith("__", self.at):
            return False
        if not self.source.startswith(mark, self.at):
            return False
        self.at += len(mark)
        self._close({})
        return True

    def _end_link(self) -> bool:
        mark, start, began = self.open[-1]
        self.at += 1
        url = "".join(self.out)[-(self.size - start) :]
        if self.source[self.at : self.at + 1] == "(":
            url = self._address(began)
        if mark == "![":
            self._close({"custom_emoji_id": url.partition("id=")[2]})
            return True
        link = link_entity(url)
        if link is None:
            self.open.pop()
        else:
            self._close(link)
        return True

    def _address(self, began: int) -> str:
        self.at += 1
        url = ""
        while self.at < len(self.source) and self.source[self.at] != ")":
            if self.source[self.at] == "\\" and self.at + 1 < len(self.source):
                self.at += 1
            url += self.source[self.at]
            self.at += 1
        if self.at >= len(self.source):
            raise refused(f"Can't find end of a URL at byte offset {self._offset(began)}")
        self.at += 1
        return url

    def _starts(self) -> bool:
        for mark in ("```", "![", "__", "||", "*", "_", "~", "`", "["):
            if self.source.startswith(mark, self.at):
                self.open.append((mark, self.size, self.at))
                self.at += len(mark)
                if mark == "```":
                    self._language()
                return True
        return False

    def _language(self) -> None:
        line, newline, _ = self.source[self.at :].partition("\n")
        if newline and line and "`" not in line and " " not in line:
            self.at += len(line) + 1
            self.languages[len(self.open)] = line
        elif newline and not line:
            self.at += 1

    def _close(self, more: Entity) -> None:
        mark, start, _ = self.open.pop()
        language = self.languages.pop(len(self.open) + 1, None) if mark == "```" else None
        if language:
            more = {**more, "language": language}
        if self.size > start:
            one = {"type": NAMES[mark][0], "offset": start, "length": self.size - start}
            self.entities.append({**one, **more})


def parse_old(source: str) -> tuple[str, list[Entity]]:
    """Bot API: Markdown style, the legacy one. `_`, `*`, `` ` `` and `[` open an entity that must be closed;
    no nesting."""
    parser = _Parser("")
    at = 0
    while at < len(source):
        sign, following = source[at], source[at + 1 : at + 2]
        if sign == "\\" and following in ("_", "*", "`", "["):
            parser._put(following)
            at += 2
        elif sign not in "_*`[":
            parser._put(sign)
            at += 1
        else:
            at = _old_entity(parser, source, at)
    return "".join(parser.out), ordered(parser.entities)


def _old_entity(parser: _Parser, source: str, at: int) -> int:
    mark = "```" if source.startswith("```", at) else source[at]
    closing = "]" if mark == "[" else mark
    end = source.find(closing, at + len(mark))
    if end < 0:
        offset = len(source[:at].encode())
        raise refused(f"Can't find end of the entity starting at byte offset {offset}")
    inner, start = source[at + len(mark) : end], parser.size
    parser._put(inner)
    end += len(closing)
    one: Entity | None = {"type": NAMES[mark][0]}
    if mark == "[":
        url, stop = "", source.find(")", end) if source[end : end + 1] == "(" else -1
        if stop > 0:
            url, end = source[end + 1 : stop], stop + 1
        one = link_entity(url) if url else None
    if one is not None and parser.size > start:
        parser.entities.append({**one, "offset": start, "length": parser.size - start})
    return end
