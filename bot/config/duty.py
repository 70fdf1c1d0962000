"""What must agree where a configuration says who is on call, and who works at which level."""

from bot.config import values
from bot.config.written import Lines, Raw, items, tables

_STAFF = ("agent", "lead", "admin")


def problems(raw: Raw) -> Lines:
    """One line for each disagreement."""
    yield from _somebody_is_named(raw)
    yield from _hours_agree(raw)
    yield from _people_work_here(raw)


def _somebody_is_named(raw: Raw) -> Lines:
    for where, rota in tables(raw, "rotas"):
        if not rota.get("layers") and "ical" not in rota:
            yield f"{where}.layers: is missing; a rota needs layers of people, or a calendar: 'ical'"


def _hours_agree(raw: Raw) -> Lines:
    for at, rota in tables(raw, "rotas"):
        for where, layer in tables(rota, "layers", f"{at}."):
            for key in ("hours", "time_zone"):
                if "calendar" in layer and key in layer:
                    yield f"{where}.{key}: is given beside 'calendar', which has its own; keep one of them"


def _people_work_here(raw: Raw) -> Lines:
    """Only staff are on call."""
    staff = staff_of(raw)
    known = tuple(item["name"].strip() for item in _people(raw))
    for where, name in _named(raw):
        if not known or not isinstance(name, str) or name.strip() in staff:
            continue
        valid = f"staff: {', '.join(staff) or 'nobody yet; give somebody the role agent'}"
        if name.strip() in known:
            yield f"{where}: {name!r} is no agent, lead or admin ({valid})"
        else:
            yield f"{where}: there is no {name!r}{values.closest(name, staff)} ({valid})"


def staff_of(raw: Raw) -> tuple[str, ...]:
    """The names of those who work here."""
    return tuple(item["name"].strip() for item in _people(raw) if _works(item.get("roles")))


def _people(raw: Raw) -> list[Raw]:
    return [item for _, item in tables(raw, "people") if isinstance(item.get("name"), str)]


def _works(roles: object) -> bool:
    return isinstance(roles, list | tuple) and any(role in _STAFF for role in roles)


def _named(raw: Raw) -> list[tuple[str, object]]:
    said: list[tuple[str, object]] = []
    for at, rota in tables(raw, "rotas"):
        for where, layer in tables(rota, "layers", f"{at}."):
            said += items(layer, "people", f"{where}.")
    for where, team in tables(raw, "levels"):
        said += items(team, "people", f"{where}.")
    return said
