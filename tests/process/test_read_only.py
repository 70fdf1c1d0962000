"""A desk whose root cannot be written, as in its image: what it writes lies in its data folder and /tmp."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.process.conftest import Yard
from tests.process.conversation import Round
from tests.process.desk import Desk

HOW = "only somebody who may mount can try a root that cannot be written (as root: unshare --mount)"


def walled(folder: Path) -> list[str]:
    """Words before a command: all it sees is read-only but this folder and, fresh and empty, /var/tmp."""
    wall = f"""
        mount --make-rprivate /
        mount --bind {folder} {folder}
        for each in $(awk '{{ print $2 }}' /proc/mounts | sort --unique); do
            [ "$each" = {folder} ] || mount -o remount,bind,ro "$each" 2>/dev/null
        done
        mount -t tmpfs tmpfs /var/tmp
        exec "$@"
    """
    return ["unshare", "--mount", "sh", "-c", wall, "wall"]


@pytest.fixture
def wall(tmp_path: Path) -> list[str]:
    data = tmp_path / "data"
    data.mkdir()
    words = walled(data)
    probe = f"touch {data}/here && ! touch {tmp_path}/there /tmp/there 2>/dev/null && touch /var/tmp/there"
    if not shutil.which("unshare") or subprocess.run([*words, "sh", "-c", probe], check=False).returncode:
        pytest.skip(HOW)
    return words


class Walled(Desk):
    """A desk behind such a wall, whose data lie in the only folder that it may write."""

    def __init__(self, folder: Path, words: list[str], data: Path) -> None:
        super().__init__(folder)
        text = self.config.read_text(encoding="utf-8").replace(f"{folder}/desk.db", f"{data}/desk.db")
        self.config.write_text(text, encoding="utf-8")
        self._wall = words

    def _words(self, *arguments: str, python: tuple[str, ...] = ()) -> list[str]:
        return [*self._wall, *super()._words(*arguments, python=python)]


async def test_it_works_and_writes_nowhere_but_where_its_data_lie(
    yard: Yard, tmp_path: Path, wall: list[str]
) -> None:
    desk = Walled(tmp_path / "desk", wall, tmp_path / "data")
    before = sorted(tmp_path.rglob("*"))
    try:
        await desk.start(PYTHONPYCACHEPREFIX="", PYTHONDONTWRITEBYTECODE="1", TMPDIR="/var/tmp")
        ivan, anna = await yard.signed_in(desk, "ivan", "anna")
        await Round(ivan, anna, 1).play()
        assert (await desk.ready())["ok"]
        assert await desk.stop() == 0
    finally:
        await desk.close()
    assert desk.oddities == []
    new = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path not in before}
    assert new == {"data"}, shlex.join(new)
