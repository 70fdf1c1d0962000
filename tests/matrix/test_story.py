"""The page that shows one ticket on three screens is true."""

from tests.matrix import story


async def test_the_page_shows_what_really_stands_on_each_screen() -> None:
    assert story.PAGE.read_text(encoding="utf-8") == await story.told()
