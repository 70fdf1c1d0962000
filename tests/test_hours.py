"""Working hours as they are written in the configuration."""

import pytest

from bot.config import hours


@pytest.mark.parametrize(
    ("lines", "week"),
    [
        (["mon-fri 9-18"], (((540, 1080),),) * 5 + ((),) * 2),
        (
            ["mon,wed 9:30-13 14-18:00"],
            (((570, 780), (840, 1080)), (), ((570, 780), (840, 1080))) + ((),) * 4,
        ),
        (["sun 22-6"], (((0, 360),), *((),) * 5, ((1320, 1440),))),
        (["sat-mon 8-9"], (((480, 540),), *((),) * 4, ((480, 540),), ((480, 540),))),
        (["daily 0-24"], (((0, 1440),),) * 7),
        (["fri 9-12", "Fri 12-14", "FRI 13-15"], (*((),) * 4, ((540, 900),), (), ())),
        (["sat 22-24"], (*((),) * 5, ((1320, 1440),), ())),
    ],
)
def test_hours_are_understood_as_people_write_them(lines: list[str], week: object) -> None:
    assert hours.read(lines) == week


@pytest.mark.parametrize(
    "lines", [None, [], "mon 9-18", ["mon"], ["mo 9-18"], ["mon 9"], ["mon 9:60-18"], ["mon 24-25"], [7]]
)
def test_what_is_not_understood_is_told_with_an_example(lines: object) -> None:
    with pytest.raises(ValueError, match="mon-fri 9:00-13:00 14:00-18:00"):
        hours.read(lines)
