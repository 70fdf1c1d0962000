"""Getting in and out: links, sessions, the demo, visitors."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

from bot.web.settings import Demo, WebSettings
from core.database.transaction import Transaction
from core.kernel.ids import Identity
from core.people import store
from tests import databases
from tests.web.conftest import Rigs
from tests.web.rig import Rig

DEMO = Demo(Identity("web", "ivan"), Identity("web", "anna"), (Identity("web", "boris"),))


async def test_a_link_signs_in_once(rig: Rig) -> None:
    token = await rig.link("anna")
    first, second = await rig.stranger(), await rig.stranger()
    assert await first.sign_in(token) == 200
    async with second.http.post(f"{rig.base}/sign-in", json={"token": token}) as used:
        used_answer = (used.status, await used.json())
    async with second.http.post(f"{rig.base}/sign-in", json={"token": "never-was"}) as unknown:
        assert (unknown.status, await unknown.json()) == used_answer
    assert used_answer[0] == 403
    assert "Ask the desk" in used_answer[1]["error"]


async def test_of_two_who_use_a_link_at_once_one_gets_in(rig: Rig) -> None:
    token = await rig.link("anna")
    browsers = [await rig.stranger() for _ in range(5)]
    statuses = await asyncio.gather(*(browser.sign_in(token) for browser in browsers))
    assert sorted(statuses) == [200, 403, 403, 403, 403]


async def test_a_reusable_link_signs_in_again_each_time_with_a_new_session(rig: Rig) -> None:
    token = await rig.link("anna", reusable=True)
    first, second = await rig.stranger(), await rig.stranger()
    assert await first.sign_in(token) == 200
    assert await second.sign_in(token) == 200
    tokens = {each.value for browser in (first, second) for each in browser.http.cookie_jar}
    assert len(tokens) == 2
    assert token not in tokens


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_seats(rig: Rig) -> None:
    stranger = await rig.stranger()
    async with stranger.http.post(f"{rig.base}/sign-in", json={"token": await rig.link("anna")}) as answer:
        cookie = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/s/anna/", "Max-Age=2592000"} <= set(cookie)
    assert len(cookie[0]) > len("deskbridge_session=") + 40


async def test_no_token_is_in_the_tables(rig: Rig) -> None:
    token = await rig.link("anna", reusable=True)
    anna = await rig.stranger()
    await anna.sign_in(token)
    [session] = [each.value for each in anna.http.cookie_jar]
    await rig.serving.stop()
    raw = databases.content(rig.folder / "desk.db")
    assert "anna" in raw
    assert token not in raw
    assert session not in raw
    assert anna.csrf not in raw


async def test_one_session_proves_nothing_for_another(rig: Rig) -> None:
    token = await rig.link("anna", reusable=True)
    one, other = await rig.stranger(), await rig.stranger()
    for browser in (one, other):
        assert await browser.sign_in(token) == 200
    assert len(one.csrf) == len(other.csrf) > 32
    assert one.csrf != other.csrf
    other.csrf = one.csrf
    assert (await other.say("hello"))[0] == 403


async def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(rig: Rig) -> None:
    anna = await rig.browser("anna")
    [session] = [each.value for each in anna.http.cookie_jar]
    assert await anna.post("sign-out", {}) == (200, {})
    assert not list(anna.http.cookie_jar)
    headers = {"Cookie": f"deskbridge_session={session}"}
    async with anna.http.get(anna.path(""), headers=headers) as answer:
        assert answer.status == 401
        assert "sign-in.js" in await answer.text()


async def test_a_session_that_is_used_lives_on_and_one_that_is_not_ends(rig: Rig) -> None:
    anna = await rig.browser("anna")
    for _ in range(3):
        rig.clock.advance(timedelta(days=20))
        assert (await anna.shell())["seat"] == "anna"
    rig.clock.advance(timedelta(days=31))
    async with anna.http.get(anna.path("")) as answer:
        assert answer.status == 401


async def test_a_persons_name_cannot_break_out_of_the_page(rig: Rig) -> None:
    name = "</script><script>alert(1)</script><!--&amp;\u2028"
    evil = await rig.browser("evil")

    person = await rig.person("evil")

    async def work(tx: Transaction) -> None:
        await store.save(tx, replace(person, name=name))

    await rig.database.write(work)
    async with evil.http.get(evil.path("")) as answer:
        page = await answer.text()
    assert "alert(1)</" not in page
    assert (await evil.shell())["person"]["name"] == name


async def test_an_account_with_odd_letters_has_a_plain_seat(rig: Rig) -> None:
    odd = await rig.browser("иван/../@x")
    assert odd.seat.startswith("p-")
    assert await odd.say("hello", room="u-иван/../@x") == (200, {})


async def test_the_demo_signs_its_people_in(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(demo=DEMO)) as rig:
        await rig.link("ivan")
        browser = await rig.stranger()
        async with browser.http.get(rig.base) as answer:
            page = await answer.text()
        given = json.loads(page.split('id="demo">')[1].split("</script>")[0])
        assert [given[side]["seat"] for side in ("left", "right")] == ["ivan", "anna"]
        assert [each["title"] for each in given["others"]] == ["Boris"]
        browser.seat, browser.csrf = "anna", given["right"]["csrf"]
        assert (await browser.say("hello"))[0] == 200
        browser.seat, browser.csrf = "boris", ""
        assert (await browser.shell())["person"]["name"] == "Boris"


async def test_visiting_the_demo_again_and_again_fills_nothing(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(demo=DEMO)) as rig:
        await rig.link("ivan")
        browser = await rig.stranger()
        for _ in range(30):
            async with browser.http.get(rig.base) as answer:
                assert answer.status == 200
        browser.seat = "ivan"
        assert (await browser.shell())["seat"] == "ivan"


async def test_a_demo_that_others_can_reach_signs_nobody_in(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(host="0.0.0.0", demo=DEMO)) as rig:
        browser = await rig.stranger()
        async with browser.http.get(rig.base) as answer:
            assert "Set-Cookie" not in answer.headers
            assert "sign-in.js" in await answer.text()


async def test_a_visitor_gets_a_conversation_of_their_own_and_finds_it_again(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(visitors=True)) as rig:
        one, two = await rig.stranger(), await rig.stranger()
        seats = []
        for browser in (one, two, one):
            async with browser.http.get(rig.base, headers={"Accept-Language": "ru"}) as answer:
                assert answer.url.path == "/chat"
                page = await answer.text()
            seats.append(page.split("url=/s/")[1].split("/")[0])
        assert seats[0] == seats[2] != seats[1]
        one.seat = seats[0]
        shell = await one.shell()
        assert shell["language"] == "ru"
        assert shell["person"]["name"].startswith("Гость")
        assert not shell["person"]["staff"]
        one.csrf = shell["csrf"]
        [room] = shell["rooms"]
        assert len(room["room"]) > len("u-v-") + 20
        assert (await one.say("помогите", room=room["room"]))[0] == 200
        await one.post("sign-out", {})
        async with one.http.get(one.path("")) as answer:
            assert "url=/chat" in await answer.text()
        async with one.http.get(f"{rig.base}/chat") as answer:
            assert one.seat not in await answer.text()


async def test_a_visitor_without_cookies_is_not_sent_in_circles(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(visitors=True)) as rig:
        browser = await rig.stranger()
        async with browser.http.get(f"{rig.base}/s/v-01234567/") as answer:
            assert answer.status == 401


async def test_where_strangers_are_not_invited_there_is_no_chat_for_them(rig: Rig) -> None:
    browser = await rig.stranger()
    async with browser.http.get(f"{rig.base}/chat") as answer:
        assert answer.status == 404
    async with browser.http.get(rig.base) as answer:
        assert "sign-in.js" in await answer.text()


async def test_many_sign_ins_in_a_short_time_are_slowed(rig: Rig) -> None:
    browser = await rig.stranger()
    statuses = [await browser.sign_in(f"guess-{number}") for number in range(31)]
    assert statuses == [403] * 30 + [429]
    rig.clock.advance(timedelta(minutes=1))
    assert await browser.sign_in("guess") == 403


async def test_somebody_who_comes_from_another_site_is_led_to_their_page(rig: Rig) -> None:
    stranger = await rig.stranger()
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with stranger.http.get(f"{rig.base}/s/anna/", headers=headers) as answer:
        assert 'content="0;url=/s/anna/"' in await answer.text()
