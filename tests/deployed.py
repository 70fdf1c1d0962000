"""What the Dockerfile and the files in deploy/ say, read for the tests."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OURS = "deskbridge"
_VARIABLE = re.compile(r"\b(DESKBRIDGE_\w+)[=:] *(\S+)")


def dockerfile() -> list[tuple[str, str]]:
    """The instructions with their arguments, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(word, rest.strip()) for line in lines if line.strip() for word, _, rest in [line.partition(" ")]]


def image() -> dict[str, str]:
    """The environment of the last stage."""
    last = max(n for n, (word, _) in enumerate(dockerfile()) if word == "FROM")
    found: dict[str, str] = {}
    for word, rest in dockerfile()[last:]:
        if word == "ENV":
            found |= dict(pair.split("=", 1) for pair in shlex.split(rest))
    return found


def last(instruction: str) -> str:
    return [rest for word, rest in dockerfile() if word == instruction][-1]


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


def desks() -> dict[str, Any]:
    """The services that run our image."""
    return {name: each for name, each in compose()["services"].items() if each["image"].startswith(OURS)}


def manifests() -> dict[str, dict[str, Any]]:
    """By kind."""
    read = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in KUBERNETES)
    return {each["kind"]: each for each in read}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = manifests()["Deployment"]["spec"]["template"]["spec"]
    return found


def containers() -> list[dict[str, Any]]:
    return [*pod()["initContainers"], *pod()["containers"]]


def unit() -> dict[str, list[str]]:
    """Every key of the service's unit with its values."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / "deskbridge.service").read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", "[")):
            found.setdefault(key, []).append(value)
    return found


def commands() -> Iterator[list[str]]:
    """What our image and our unit are told to run, after `deskbridge`."""
    yield yaml.safe_load(last("CMD"))
    yield from (each["command"] for each in desks().values() if "command" in each)
    yield from (each["args"] for each in containers())
    program, *words = shlex.split(unit()["ExecStart"][0])
    assert program.endswith(f"/{OURS}")
    yield words


def written() -> dict[str, str]:
    """The text of every file that may set variables of ours, by name."""
    paths = (DEPLOY / "compose.yaml", DEPLOY / "env.example", DEPLOY / "deskbridge.service", *KUBERNETES)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def variables(text: str) -> dict[str, str]:
    """Those of ours that it sets, with examples that are commented out."""
    plain = re.sub(r"\$\{DESK_HOST:[^}]*\}", "desk.example.org", text)
    return {name: value.strip('"') for name, value in _VARIABLE.findall(plain) if "…" not in value}


def probes() -> Iterator[str]:
    """Every path that somebody asks to hear how the desk does."""
    yield re.findall(r"127\.0\.0\.1:\d+(/\w+)", last("HEALTHCHECK"))[0]
    yield from re.findall(r"health_uri (\S+)", (DEPLOY / "Caddyfile").read_text(encoding="utf-8"))
    (desk,) = pod()["containers"]
    yield from (desk[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness"))
    yield manifests()["Deployment"]["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"]


def images() -> Iterator[str]:
    """Every image that somebody else has made, or will be asked for."""
    yield from (rest.partition(" ")[0] for word, rest in dockerfile() if word == "FROM")
    others = (each["image"] for each in compose()["services"].values())
    yield from (each for each in others if not each.startswith(OURS))
    (ours,) = manifests()["Kustomization"]["images"]
    yield f"{ours['newName']}:{ours['newTag']}"
