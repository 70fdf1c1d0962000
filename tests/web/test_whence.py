"""Who asks is told by a proxy of ours, and by nobody else."""

import aiohttp
import pytest

from bot.web.settings import WebSettings
from bot.web.whence import networks
from tests.web.conftest import Rigs

ENOUGH = 30
"""New conversations that one address may begin at once."""


async def statuses(base: str, forwarded: list[str]) -> list[int]:
    """What strangers are answered at the door, each with a header of their own."""
    found = []
    for each in forwarded:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{base}/chat", headers={"X-Forwarded-For": each}) as answer,
        ):
            found.append(answer.status)
    return found


@pytest.mark.parametrize("proxies", ["127.0.0.0/8", "127.0.0.1,10.0.0.0/8"])
async def test_behind_a_proxy_of_ours_each_address_counts_for_itself(rig_with: Rigs, proxies: str) -> None:
    async with rig_with(WebSettings(visitors=True, proxies=networks(proxies))) as rig:
        many = [f"203.0.113.{n}" for n in range(ENOUGH + 5)]
        assert set(await statuses(rig.base, many)) == {200}
        forged = [f"198.51.100.{n}, 203.0.113.200" for n in range(ENOUGH + 5)]
        assert await statuses(rig.base, forged) == [200] * ENOUGH + [429] * 5


async def test_through_two_proxies_of_ours_the_one_before_both_counts(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(visitors=True, proxies=networks("127.0.0.1,10.0.0.0/8"))) as rig:
        many = [f"1.2.3.4, 203.0.113.{n}, 10.1.2.3" for n in range(ENOUGH + 5)]
        assert set(await statuses(rig.base, many)) == {200}


@pytest.mark.parametrize("proxies", ["", "10.0.0.0/8"])
async def test_anybody_else_is_not_believed(rig_with: Rigs, proxies: str) -> None:
    async with rig_with(WebSettings(visitors=True, proxies=networks(proxies))) as rig:
        many = [f"203.0.113.{n}" for n in range(ENOUGH + 5)]
        assert (await statuses(rig.base, many)).count(429) == 5


@pytest.mark.parametrize("odd", ["", " , ", "nobody", "::ffff:1.2.3.4, ::1", "x" * 4000])
async def test_an_odd_header_harms_nothing(rig_with: Rigs, odd: str) -> None:
    async with rig_with(WebSettings(visitors=True, proxies=networks("127.0.0.1,::1"))) as rig:
        assert await statuses(rig.base, [odd]) == [200]
