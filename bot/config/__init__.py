"""The configuration: TOML file and environment become frozen settings, every mistake reported at once."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from bot.config import checks, problems, sources
from bot.config.model import Settings
from bot.config.problems import ConfigError

__all__ = ["ConfigError", "Settings", "load"]


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """The settings from `path` (None: ./config.toml if it is there, else the demo) under the environment.

    Raises ConfigError that holds every problem.
    """
    source = sources.chosen(path)
    file, wrong_file = sources.read_file(source) if source else ({}, [])
    environment, from_environment, wrong_environment = sources.read_environment(environ)
    raw, wrong_secrets = sources.read_secrets(sources.merge(file, environment))
    hidden = sources.secret_values(file) + sources.secret_values(raw)
    complete, demo = sources.lay_under(raw)
    lines = [*wrong_file, *wrong_environment, *wrong_secrets]
    try:
        settings: Settings | None = Settings(**sources.fill_in(complete))
    except ValidationError as error:
        settings = None
        lines += problems.of_values(error, from_environment)
    lines += checks.all_problems(complete)
    if lines or settings is None:
        raise ConfigError(problems.redacted(lines, hidden))
    settings._demo, settings._source = demo, source
    return settings
