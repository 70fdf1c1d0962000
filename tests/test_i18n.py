"""The desk's words: right plurals, dates and lengths in both languages, and nothing a fact can break."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bot import i18n
from bot.i18n import catalogue, wording
from bot.message import At, Plain, Several, Span, Text, Titled, Words

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with i18n.strict():
        yield


def told(text: Text | str, language: str = "en", zone: str = "UTC", now: datetime = NOW) -> str:
    return i18n.word(text, language, time_zone=zone, now=now)


def minutes(count: int, language: str) -> str:
    return told(Words("span.minutes", count=count), language)


@pytest.mark.parametrize(
    ("count", "russian"),
    [
        (0, "0 минут"),
        (1, "1 минуту"),
        (2, "2 минуты"),
        (5, "5 минут"),
        (11, "11 минут"),
        (21, "21 минуту"),
        (22, "22 минуты"),
        (111, "111 минут"),
        (1000, "1000 минут"),
        (-2, "-2 минуты"),
    ],
)
def test_russian_numbers_take_the_right_word(count: int, russian: str) -> None:
    assert minutes(count, "ru") == russian


def test_english_numbers_take_the_right_word() -> None:
    assert [told(Words("span.days", count=n)) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]


def test_people_s_own_words_are_never_looked_into() -> None:
    hostile = "{0.__class__} {span} {{7*7}} %s %(count)s ${x} {"
    assert told(hostile) == told(Plain(hostile)) == hostile
    assert told(Words("ago.past", {"span": hostile})) == f"{hostile} ago"
    assert told(Words("ago.past", {"span": Plain(hostile)}), "ru") == f"{hostile} назад"


def test_facts_are_worded_in_the_reader_s_language_too() -> None:
    nested = Words("ago.past", {"span": Several((Span(timedelta(minutes=5)), Plain("{span}")), " / ")})
    assert told(nested, "en") == "5 min / {span} ago"
    assert told(nested, "ru") == "5 минут / {span} назад"
    assert told(Words("ago.past", {"span": 7})) == "7 ago"


def test_errors_of_the_core_may_carry_instants_and_lengths_as_facts() -> None:
    assert told(Words("ago.past", {"span": timedelta(minutes=2)})) == "2 min ago"  # type: ignore[dict-item]
    assert told(Words("ago.past", {"span": NOW})) == "14:05 ago"  # type: ignore[dict-item]


def test_a_titled_text_is_told_in_the_reader_s_language_else_english_else_the_first() -> None:
    assert told(Titled({"en": "Network", "ru": "Сеть"}), "ru") == "Сеть"
    assert told(Titled({"de": "Netz", "en": "Network"}), "ru") == "Network"
    assert told(Titled({"de": "Netz", "fr": "Réseau"}), "ru") == "Netz"


@pytest.mark.parametrize(
    ("at", "english", "russian"),
    [
        (At(NOW, "clock"), "17:05", "17:05"),
        (At(NOW, "day"), "22 November", "22 ноября"),
        (At(NOW, "both"), "17:05", "17:05"),
        (At(NOW.replace(day=23, hour=6, minute=0), "both"), "Mon 23 Nov, 09:00", "пн 23 нояб., 09:00"),
        (At(NOW.replace(year=2025), "day"), "22 November 2025", "22 ноября 2025"),
        (At(NOW.replace(year=2025), "both"), "Sat 22 Nov 2025, 17:05", "сб 22 нояб. 2025, 17:05"),
        (At(NOW - timedelta(minutes=25), "ago"), "25 min ago", "25 минут назад"),
        (At(NOW - timedelta(minutes=21), "ago"), "21 min ago", "21 минуту назад"),
        (At(NOW + timedelta(hours=1), "ago"), "in 1 h", "через 1 час"),
        (At(NOW, "ago"), "just now", "только что"),
    ],
)
def test_instants_are_told_in_the_reader_s_language_and_zone(at: At, english: str, russian: str) -> None:
    assert told(at, "en", "Europe/Moscow") == english
    assert told(at, "ru", "Europe/Moscow") == russian


def test_today_is_the_reader_s_today() -> None:
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    assert told(At(late), zone="UTC") == "22:30"
    assert told(At(late), zone="Europe/Moscow") == "Mon 23 Nov, 01:30"


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "Europe", "\0", "Europe/Mos\ncow"])
def test_an_unknown_time_zone_is_told_in_utc(zone: str) -> None:
    assert told(At(NOW, "clock"), zone=zone) == "14:05"


def test_the_ends_of_time_can_be_told() -> None:
    for instant in (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        assert told(At(instant), zone="Asia/Tokyo")
        assert told(At(instant), zone="America/New_York")
        assert told(At(instant, "ago"))
    assert told(Span(timedelta.max), "ru")
    assert told(Span(timedelta.min), "ru")


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0, "0 s", "0 секунд"),
        (59, "59 s", "59 секунд"),
        (90, "1 min 30 s", "1 минуту 30 секунд"),
        (1_500, "25 min", "25 минут"),
        (1_521, "25 min", "25 минут"),
        (3_599, "1 h", "1 час"),
        (4_800, "1 h 20 min", "1 час 20 минут"),
        (86_399, "1 day", "1 день"),
        (90_000, "1 day 1 h", "1 день 1 час"),
        (864_000 + 7_200, "10 days", "10 дней"),
        (-1_500, "25 min", "25 минут"),
    ],
)
def test_lengths_are_told_in_one_or_two_units(seconds: int, english: str, russian: str) -> None:
    length = Span(timedelta(seconds=seconds))
    assert (told(length, "en"), told(length, "ru")) == (english, russian)


def test_a_mistake_in_our_words_is_an_error_in_tests() -> None:
    with pytest.raises(i18n.WordingError, match=r"no\.such\.key"):
        told(Words("no.such.key"))
    with pytest.raises(i18n.WordingError, match="span"):
        told(Words("ago.past"))


def test_a_mistake_in_our_words_is_told_once_and_never_stops_a_message(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wording, "_mistakes", wording._Mistakes())
    with caplog.at_level(logging.ERROR):
        assert [told(Words("no.such.key"), "ru") for _ in range(3)] == ["no.such.key"] * 3
        assert told(Words("ago.past"), "ru") == "… назад"
    assert len(caplog.records) == 2


def test_a_language_we_lack_is_told_in_english() -> None:
    assert minutes(5, "de") == "5 min"
    assert told(At(NOW, "day"), "de") == "22 November"


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("ru", "ru"),
        ("ru-RU", "ru"),
        ("RU_ru.UTF-8", "ru"),
        ("en-GB", "en"),
        ("de", "en"),
        ("de-DE, ru;q=0.8, en;q=0.5", "ru"),
        ("", "en"),
        (None, "en"),
        ("rue", "en"),
    ],
)
def test_the_language_is_guessed_from_a_tag(tag: str | None, language: str) -> None:
    assert i18n.guess(tag, "en") == language


def test_a_page_gets_the_sentences_of_a_prefix_with_plurals_by_their_names() -> None:
    assert dict(i18n.keys("ago.f", "ru")) == {"ago.future": "через {span}"}
    assert dict(i18n.keys("span.days", "ru")) == {
        "span.days.one": "{count} день",
        "span.days.few": "{count} дня",
        "span.days.many": "{count} дней",
    }
    assert set(i18n.keys("span.days", "en")) == {"span.days.one", "span.days.other"}


def test_the_catalogues_are_read_once() -> None:
    minutes(1, "ru")
    before = catalogue.read.cache_info().misses
    started = time.process_time()
    for count in range(20_000):
        minutes(count, "ru")
    assert catalogue.read.cache_info().misses == before
    assert time.process_time() - started < 2
