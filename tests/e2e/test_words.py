"""Words as their author set them, on the page: as elements, whatever they hold."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.scene import Scene

Open = Callable[..., Scene]
DRAWN = """async ([text, marks]) => {
  const { bodyOf } = await import("/static/body.js");
  const [node] = bodyOf([{ kind: "paragraph", style: "normal", text, marks }]);
  return [node.innerHTML, node.textContent];
}"""
CASES: dict[str, tuple[str, list[Any], str]] = {
    "plain": ("a <b>b</b> &amp;", [], "a &lt;b&gt;b&lt;/b&gt; &amp;amp;"),
    "one": ("so bold", [["bold", 3, 7]], "so <b>bold</b>"),
    "overlapping": ("abcd", [["bold", 0, 3], ["italic", 1, 4]], "<b>a</b><i><b>bc</b></i><i>d</i>"),
    "markup in code": ("<img src=x>", [["code", 0, 11]], "<code>&lt;img src=x&gt;</code>"),
    "an address in code": ("http://a.example/b", [["pre", 0, 18]], "<pre>http://a.example/b</pre>"),
    "beyond the end": ("ab", [["strike", 1, 99]], "a<s>b</s>"),
    "no such kind": ("ab", [["script", 0, 2]], "ab"),
}


def test_marks_become_elements_and_nothing_else_does(open_scene: Open) -> None:
    scene = open_scene()
    page, _ = scene.alone("ivan")
    for name, (text, marks, html) in CASES.items():
        drawn, words = page.evaluate(DRAWN, [text, marks])
        assert (name, drawn) == (name, html)
        assert words == text


@pytest.mark.parametrize("kind", ["bold", "pre"])
def test_words_too_long_to_show_at_once_are_marked_as_far_as_they_are_shown(
    open_scene: Open, kind: str
) -> None:
    scene = open_scene()
    page, _ = scene.alone("ivan")
    drawn, words = page.evaluate(DRAWN, ["word " * 2000, [[kind, 0, 10_000]]])
    tag = {"bold": "b", "pre": "pre"}[kind]
    assert drawn.startswith(f"<{tag}>word")
    assert len(words) < 5000
