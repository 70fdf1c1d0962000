"""The HTML of `parse_mode=HTML`: the supported tags, strictly, with the server's own complaints."""

from tests.emulators.telegram.entities import Entity, ordered, units
from tests.emulators.telegram.links import usable
from tests.emulators.telegram.refusals import Refused, bad

SIMPLE = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
TAGS = {*SIMPLE, "a", "span", "tg-emoji"}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}


def parse(source: str) -> tuple[str, list[Entity]]:
    """Bot API: HTML style. Any `<` not of a supported tag, and any tag left open, refuses the message."""
    return _Parser(source).run()


def refused(text: str) -> Refused:
    return bad(f"can't parse entities: {text}")


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.out: list[str] = []
        self.size = 0
        self.open: list[tuple[str, int, dict[str, str]]] = []
        self.entities: list[Entity] = []

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            sign = self.source[self.at]
            if sign == "&":
                self._put(self._reference())
            elif sign == "<":
                self._tag()
            else:
                self._put(sign)
                self.at += 1
        if self.open:
            raise refused(f'Can\'t find end tag corresponding to start tag "{self.open[-1][0]}"')
        return "".join(self.out), ordered(self.entities)

    def _put(self, text: str) -> None:
        self.out.append(text)
        self.size += units(text)

    def _offset(self, at: int) -> int:
        return len(self.source[:at].encode())

    def _reference(self) -> str:
        """Bot API: only `&lt;`, `&gt;`, `&amp;`, `&quot;` and numbers are known; any other `&` stands for
        itself."""
        end = self.source.find(";", self.at, self.at + 12)
        name = self.source[self.at + 1 : end] if end > 0 else ""
        if name in NAMED:
            self.at = end + 1
            return NAMED[name]
        number = name[1:]
        try:
            if name[:2].lower() == "#x":
                code = int(number[1:], 16)
            elif name[:1] == "#":
                code = int(number)
            else:
                raise ValueError(name)
            sign = chr(code) if code else "&"
            sign.encode()
        except (ValueError, OverflowError):
            self.at += 1
            return "&"
        self.at = end + 1
        return sign

    def _tag(self) -> None:
        began = self.at
        self.at += 1
        if self.source[self.at : self.at + 1] == "/":
            self._end(began)
        else:
            self._start(began)

    def _end(self, began: int) -> None:
        self.at += 1
        end = self.source.find(">", self.at)
        if not self.open:
            raise refused(f"Unexpected end tag at byte offset {self._offset(began)}")
        if end < 0:
            raise refused(f"Unclosed end tag at byte offset {self._offset(began)}")
        name = self.source[self.at : end].strip().lower()
        self.at = end + 1
        tag, start, attributes = self.open.pop()
        if name and name != tag:
            raise refused(
                f"Unmatched end tag at byte offset {self._offset(began)}, "
                f'expected "</{tag}>", found "</{name}>"'
            )
        self._close(tag, start, attributes)

    def _start(self, began: int) -> None:
        name = ""
        while self.at < len(self.source) and self.source[self.at] not in " \t\n\r>":
            name += self.source[self.at].lower()
            self.at += 1
        if self.at >= len(self.source):
            raise refused(f"Unclosed start tag at byte offset {self._offset(began)}")
        if name not in TAGS:
            raise refused(f'Unsupported start tag "{name}" at byte offset {self._offset(began)}')
        attributes = self._attributes(name, began)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise refused(f'Tag "span" must have class "tg-spoiler" at byte offset {self._offset(began)}')
        self.open.append((name, self.size, attributes))

    def _attributes(self, tag: str, began: int) -> dict[str, str]:
        told: dict[str, str] = {}
        while True:
            self._blank()
            if self.at >= len(self.source):
                raise refused(f"Unclosed start tag at byte offset {self._offset(began)}")
            if self.source[self.at] == ">":
                self.at += 1
                return told
            name = self._until(" \t\n\r=>")
            if not name:
                raise refused(f'Empty attribute name in the tag "{tag}" at byte offset {self._offset(began)}')
            self._blank()
            told[name.lower()] = self._value(began) if self.source[self.at : self.at + 1] == "=" else ""

    def _value(self, began: int) -> str:
        self.at += 1
        self._blank()
        quote = self.source[self.at : self.at + 1]
        if quote not in ("'", '"'):
            return self._until(" \t\n\r>")
        end = self.source.find(quote, self.at + 1)
        if end < 0:
            raise refused(f"Unclosed start tag at byte offset {self._offset(began)}")
        inner = _Parser(self.source[self.at + 1 : end].replace("<", "&lt;")).run()[0]
        self.at = end + 1
        return inner

    def _blank(self) -> None:
        while self.source[self.at : self.at + 1] in (" ", "\t", "\n", "\r"):
            self.at += 1

    def _until(self, ends: str) -> str:
        began = self.at
        stops = [at for end in ends if (at := self.source.find(end, began)) >= 0]
        self.at = min(stops, default=len(self.source))
        return self.source[began : self.at]

    def _close(self, tag: str, start: int, attributes: dict[str, str]) -> None:
        length = self.size - start
        if not length:
            return
        one: Entity = {"type": SIMPLE.get(tag, "spoiler"), "offset": start, "length": length}
        if tag == "blockquote" and "expandable" in attributes:
            one["type"] = "expandable_blockquote"
        elif tag == "code" and attributes.get("class", "").startswith("language-"):
            one["language"] = attributes["class"].removeprefix("language-")
        elif tag == "tg-emoji":
            one |= {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
        elif tag == "a":
            link = link_entity(attributes.get("href") or "".join(self.out)[-length:])
            if link is None:
                return
            one |= link
        if tag == "pre":
            self._language(one)
        self.entities.append(one)

    def _language(self, pre: Entity) -> None:
        """Bot API: `<pre><code class="language-python">` is one block of code of that language."""
        for inner in self.entities:
            same = inner["offset"] == pre["offset"] and inner["length"] == pre["length"]
            if same and inner["type"] == "code":
                self.entities.remove(inner)
                if "language" in inner:
                    pre["language"] = inner["language"]
                return


def link_entity(url: str) -> Entity | None:
    """Bot API: `tg://user?id=` mentions a person; an address without a dot in its host is no link at all."""
    if url.startswith("tg://user?id=") and url.removeprefix("tg://user?id=").isdigit():
        person = int(url.removeprefix("tg://user?id="))
        return {"type": "text_mention", "user": {"id": person, "is_bot": False, "first_name": str(person)}}
    if not usable(url):
        return None
    return {"type": "text_link", "url": url if "://" in url else f"http://{url}"}
