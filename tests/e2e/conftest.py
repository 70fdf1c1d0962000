"""A browser, a desk and the people at its page; nothing may go wrong in the browser's console."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.desk import Desk
from tests.e2e.scene import Scene

ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW = "no Chromium here; install it (on Debian and Ubuntu: apt install chromium) to test the page"
PATIENCE = 15_000

Open = Callable[..., Scene]


def _chromium() -> str:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("DESKBRIDGE_TEST_REQUIRE_ALL") == "1":
        pytest.fail(HOW)
    if found is None:
        pytest.skip(HOW)
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = _chromium()
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield started
        started.close()


@pytest.fixture
def open_scene(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Starts a desk and a browser's window before it; looks for complaints at the end."""
    opened: list[Scene] = []

    def opens(language: str = "en", *, config: str = "", **window: object) -> Scene:
        folder = tmp_path / f"desk-{len(opened)}"
        folder.mkdir()
        desk = Desk(folder, config)
        context = browser.new_context(timezone_id="UTC", **window)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        scene = Scene(desk, context, language)
        opened.append(scene)
        desk.start()
        return scene

    try:
        yield opens
        for scene in opened:
            assert scene.complaints == []
            trouble = [line for line in scene.desk.log.splitlines() if "Traceback" in line]
            assert trouble == []
    finally:
        for scene in opened:
            scene.context.close()
            scene.desk.stop()
