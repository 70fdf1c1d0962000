"""Whether rules are the same as others: what decides about due times, in one short word."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import Any

from core.escalation.model import Policies
from core.sla.calendars import DAY, Calendar
from core.sla.model import Promises


def digest(promises: Promises, policies: Policies, now: datetime) -> str:
    """The same for the same promises on calendars with the same working time, from a year ago until two
    years ahead, and the same policies; another for others."""
    made = [promise.calendar for rule in promises.rules for promise in rule.promises.values()]
    calendars = {each.name: each for each in (*made, *(policy.calendar for policy in policies.all))}
    told = [_plain(promises), _plain(policies), [_hours(each, now.year) for each in calendars.values()]]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _hours(calendar: Calendar, year: int) -> list[str]:
    """The working time of each day, of the whole years around this one."""
    if calendar.week is None:
        return []
    first, last = date(year - 1, 1, 1), date(year + 2, 12, 31)
    days = (first + number * DAY for number in range((last - first).days + 1))
    return [f"{begin.timestamp()}-{end.timestamp()}" for day in days for begin, end in calendar.spans(day)]


def _plain(value: Any) -> Any:
    """The value as JSON can tell it, the same in every process; a calendar by its name."""
    match value:
        case Calendar():
            return value.name
        case Mapping():
            return sorted([str(key), _plain(each)] for key, each in value.items())
        case Set():
            return sorted(str(each) for each in value)
        case tuple() | list():
            return [_plain(each) for each in value]
        case _ if is_dataclass(value):
            return [[each.name, _plain(getattr(value, each.name))] for each in fields(value)]
    return str(value)
