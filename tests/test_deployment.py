"""What stands in the Dockerfile and in deploy/ fits the desk: commands, variables, ports, probes, paths."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NoReturn

import pytest
import yaml

from bot import cli, config, main, scheduler
from bot.config import sources
from bot.web import health
from tests import deployed as files
from tests.deployed import (
    DEPLOY,
    KUBERNETES,
    OURS,
    ROOT,
    commands,
    compose,
    containers,
    desks,
    dockerfile,
    image,
    images,
    last,
    manifests,
    pod,
    probes,
    unit,
)

pytestmark = pytest.mark.sqlite  # no desk is opened, only what is written is read

DRAINED = 10
"""Seconds within which a desk that is told to stop has stopped, as docs/running.md promises."""
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the manifests must do for all from here to there."""

GROUP = ".venv/bin/uv sync --frozen --inexact --group deploy"

_PINNED = re.compile(r"\S+:v?\d+(\.\d+)*(-[a-z0-9.-]+)?")


def needed(module: str) -> None:
    """Skip, or fail where everything must be there."""
    if importlib.util.find_spec(module) is None:
        _missing(f"no {module} here; {GROUP}")


def _missing(how: str) -> NoReturn:
    if os.environ.get("DESKBRIDGE_TEST_REQUIRE_ALL") == "1":
        pytest.fail(how)
    pytest.skip(how)


def told(*command: str | Path) -> str:
    """What a checker complains about; empty where all is right."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or "it failed without a word"


# ---- checked by the tools of others


def test_the_dockerfile_has_no_bad_habits() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        _missing(f"no hadolint here; {GROUP}")
    assert told(hadolint, ROOT / "Dockerfile") == ""


def test_the_compose_file_is_one() -> None:
    needed("check_jsonschema")
    schema = ("--builtin-schema", "vendor.compose-spec")
    assert told(sys.executable, "-m", "check_jsonschema", *schema, DEPLOY / "compose.yaml") == ""


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_manifests_are_what_kubernetes_takes(path: Path, version: str) -> None:
    needed("kubernetes_validate")
    import kubernetes_validate

    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if found["kind"] != "Kustomization":
        kubernetes_validate.validate(found, version, strict=True)


def test_systemd_takes_the_unit_and_finds_it_well_locked(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        _missing("no systemd-analyze here; install it (on Debian and Ubuntu: apt install systemd)")
    here = Path(sys.executable).with_name("deskbridge")
    text = (DEPLOY / "deskbridge.service").read_text(encoding="utf-8")
    placed = tmp_path / "deskbridge.service"
    placed.write_text(text.replace("/opt/deskbridge/.venv/bin/deskbridge", str(here)), encoding="utf-8")
    assert str(here) in placed.read_text(encoding="utf-8")
    assert told("systemd-analyze", "verify", placed) == ""
    assert told("systemd-analyze", "security", "--offline=true", "--threshold=20", placed) == ""


# ---- commands


def test_every_command_is_one_of_the_desk() -> None:
    assert yaml.safe_load(last("ENTRYPOINT")) == [OURS]
    for words in commands():
        assert cli.parser().parse_args(words).command in ("run", "migrate")


def test_the_image_is_built_as_the_makefile_builds() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (flags,) = re.findall(r"\$\(UV\) sync ([^\n]*--no-dev[^\n]*)", makefile)
    syncs = [rest for word, rest in dockerfile() if word == "RUN" and "uv --quiet sync" in rest]
    assert len(syncs) == 2
    for flag in set(flags.split()) - {
        "--inexact"
    }:  # there is no uv inside the image's environment to be kept
        assert all(flag in sync.split() for sync in syncs), flag
    built = next(rest for word, rest in dockerfile() if word == "ENV")
    for variable in ("UV_PYTHON_DOWNLOADS=never", "UV_COMPILE_BYTECODE=1"):
        assert variable in makefile
        assert variable in built


def test_what_the_image_takes_in_is_there_and_sent_to_the_builder() -> None:
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    taken = [rest.split()[:-1] for word, rest in dockerfile() if word == "COPY" and "--from" not in rest]
    names = {name for names in taken for name in names}
    assert names == {line[1:] for line in sent if line.startswith("!")}
    assert {name for name in names if not (ROOT / name).exists()} == set()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = {
        *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
        *project["project"]["license-files"],
        project["project"]["readme"],
    }
    assert needs <= names
    packed = project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert {"deploy", "Dockerfile", ".dockerignore"} <= set(packed)


# ---- variables and settings


@pytest.mark.parametrize("place", ["Dockerfile", *files.written()])
def test_every_variable_is_taken_by_the_configuration(place: str) -> None:
    found = image() if place == "Dockerfile" else files.variables(files.written()[place])
    ours = {name: value for name, value in found.items() if name.startswith("DESKBRIDGE_")}
    assert set(ours) <= set(sources.variables())
    address = ours.get("DESKBRIDGE_DATABASE__URL", "")
    if address.startswith("postgresql"):
        assert re.fullmatch(r"postgresql\+asyncpg://\w+@\w+:5432/\w+", address), "no password in an address"
    config.load(None, ours)


def test_the_variables_of_other_programs_are_not_taken_for_ours() -> None:
    """The desk refuses a DESKBRIDGE_… it does not know, and env.example is given to it whole."""
    names = re.findall(r"^#?([A-Z_]+)=", (DEPLOY / "env.example").read_text(encoding="utf-8"), re.MULTILINE)
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert used <= set(names)
    assert {name for name in names if name.startswith("DESKBRIDGE")} <= set(sources.variables())


def test_the_configuration_for_kubernetes_is_right() -> None:
    settings = config.load(DEPLOY / "kubernetes" / "config.toml", image())
    assert not settings.demo
    assert (settings.web.host, settings.web.address) == ("0.0.0.0", "https://desk.example.org")


# ---- ports, probes and routes


def test_probes_ask_what_the_desk_answers() -> None:
    asked = {path.partition("?")[0] for path in probes()}
    assert asked == {"/livez", "/readyz", "/metrics"}
    assert asked <= {route.path for route in health.routes()}
    excluded = {name for path in probes() for name in re.findall(r"exclude=(\w+)", path)}
    assert excluded == {"telegram", "slack"}


def test_everybody_means_the_same_port() -> None:
    port = config.load(None, image()).web.port
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    upstreams = re.findall(r"(desk-\w+):(\d+)", caddy)
    (desk,) = pod()["containers"]
    (exposed,) = desk["ports"]
    annotations = manifests()["Deployment"]["spec"]["template"]["metadata"]["annotations"]
    ports = {
        last("EXPOSE"),
        re.findall(r"127\.0\.0\.1:(\d+)", last("HEALTHCHECK"))[0],
        *(number for _, number in upstreams),
        str(exposed["containerPort"]),
        annotations["prometheus.io/port"],
    }
    assert ports == {str(port)}
    assert {name for name, _ in upstreams} == {name for name in desks() if name != "migrate"}
    (service,) = manifests()["Service"]["spec"]["ports"]
    assert {service["targetPort"]} == {exposed["name"]}
    for kind in ("startup", "liveness", "readiness"):
        assert desk[f"{kind}Probe"]["httpGet"]["port"] == exposed["name"]


# ---- who runs it, and what it may do


def test_every_image_is_named_by_version() -> None:
    assert [name for name in images() if not _PINNED.fullmatch(name)] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (ours,) = manifests()["Kustomization"]["images"]
    assert ours["newTag"] == project["version"]
    assert {each["image"] for each in containers()} == {ours["name"]}


def test_nothing_runs_as_root_or_may_become_it() -> None:
    user, group = map(int, last("USER").split(":"))
    assert user > 1000
    made = next(rest for word, rest in dockerfile() if word == "RUN" and "useradd" in rest)
    assert f"--uid {user} " in made
    assert f"--gid {group} " in made
    whole = pod()["securityContext"]
    assert (whole["runAsUser"], whole["runAsGroup"], whole["fsGroup"]) == (user, group, group)
    assert (whole["runAsNonRoot"], whole["seccompProfile"]["type"]) == (True, "RuntimeDefault")
    for each in containers():
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    for service in compose()["services"].values():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert "no-new-privileges:true" in service["security_opt"]
    assert unit()["User"] == [OURS]
    assert (unit()["NoNewPrivileges"], unit()["ProtectSystem"]) == (["yes"], ["strict"])


def test_what_is_written_has_a_place_to_be_written_to() -> None:
    settings = config.load(None, image())
    volume = Path(last("VOLUME"))
    assert settings.database.folder.is_relative_to(volume)
    assert settings.files_dir.is_relative_to(volume)
    for desk in desks().values():
        assert str(volume) in desk["volumes"]
        assert any(each.startswith("/tmp:") for each in desk["tmpfs"])
    for container in containers():
        places = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        assert places == {"config": last("WORKDIR"), "data": str(volume), "tmp": "/tmp"}
    assert unit()["WorkingDirectory"] == [f"/var/lib/{unit()['StateDirectory'][0]}"]


# ---- starting, stopping, and how many


def seconds(told: object) -> int:
    found = re.fullmatch(r"(\d+)(s|min)?", str(told))
    assert found is not None, told
    return int(found[1]) * (60 if found[2] == "min" else 1)


def test_a_desk_that_stops_is_given_the_time_it_takes() -> None:
    assert main.DRAIN < DRAINED
    assert seconds(unit()["TimeoutStopSec"][0]) > DRAINED
    assert all(seconds(desk["stop_grace_period"]) > DRAINED for desk in desks().values())
    (desk,) = pod()["containers"]
    _, before = desk["lifecycle"]["preStop"]["exec"]["command"]
    assert pod()["terminationGracePeriodSeconds"] - seconds(before) > DRAINED


def test_a_wrong_configuration_is_not_tried_again_and_all_else_is() -> None:
    assert unit()["RestartPreventExitStatus"] == [str(cli.WRONG_CONFIG)]
    assert "PYTHONFAULTHANDLER=1" in unit()["Environment"][0]
    assert image()["PYTHONFAULTHANDLER"] == "1"
    assert (unit()["Type"], unit()["Restart"]) == (["notify"], ["on-failure"])
    assert seconds(unit()["WatchdogSec"][0]) > scheduler.DEAF_AFTER * 2


def test_two_desks_serve_and_one_is_there_while_the_other_is_replaced() -> None:
    names = [name for name in desks() if name != "migrate"]
    assert len(names) == 2
    for name in names:
        condition = desks()[name]["depends_on"]["migrate"]["condition"]
        assert condition == "service_completed_successfully"
    spec = manifests()["Deployment"]["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert manifests()["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
    labels = spec["template"]["metadata"]["labels"]
    for selector in (
        spec["selector"]["matchLabels"],
        manifests()["Service"]["spec"]["selector"],
        manifests()["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_the_kustomization_holds_every_manifest_but_the_secret() -> None:
    (others,) = ({path.name for path in KUBERNETES} - set(manifests()["Kustomization"]["resources"]),)
    assert others == {"kustomization.yaml", "secret.example.yaml"}
    (made,) = manifests()["Kustomization"]["configMapGenerator"]
    assert made["name"] in {volume.get("configMap", {}).get("name") for volume in pod()["volumes"]}
    assert manifests()["Secret"]["metadata"]["name"] == containers()[0]["envFrom"][0]["secretRef"]["name"]
