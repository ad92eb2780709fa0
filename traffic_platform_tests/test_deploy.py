"""The examples in deploy/ agree with each other and with the platform."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

import pytest

from traffic_platform.api import serve
from traffic_platform.orchestration.ingest.watch import TICK_SECONDS
from traffic_platform.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# The stack takes free ports from these on. Two of its services start at Dagster's.
STACK = {
    Settings.model_fields[f"{name}_port"].default
    for name in ("api", "dagster", "kafka", "postgres")
}
NEAR = 20


def command(unit: Path) -> list[str]:
    """Return the arguments of ExecStart."""
    found = re.search(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
    assert found, unit.name
    return found[1].split()


def test_both_proxies_lead_to_the_api_and_to_the_read_only_webserver() -> None:
    webserver = command(DEPLOY / "systemd" / "traffic-dagster-webserver.service")
    assert "--read-only" in webserver
    read_only = int(webserver[webserver.index("--port") + 1])
    api = Settings.model_fields["api_port"].default
    for file in ("Caddyfile", "nginx.conf"):
        ports = re.findall(
            r"(?:reverse_proxy |proxy_pass http://)127\.0\.0\.1:(\d+)", (DEPLOY / file).read_text()
        )
        assert [int(port) for port in ports] == [api, read_only], file
    assert (
        f"--read-only \\\n  --host 127.0.0.1 --port {read_only}"
        in (DEPLOY / "README.md").read_text()
    )
    assert not any(first <= read_only < first + NEAR for first in STACK)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_an_installed_program(unit: Path) -> None:
    program, *arguments = command(unit)
    assert program.startswith("/opt/traffic/.venv/bin/")
    assert (Path(sys.executable).parent / Path(program).name).exists()
    for option in ("-m", "--module-name"):
        if option in arguments:
            assert importlib.util.find_spec(arguments[arguments.index(option) + 1])


def test_systemd_waits_longer_than_the_services_take_to_end() -> None:
    def seconds(name: str) -> int:
        found = re.search(
            r"^TimeoutStopSec=(\d+)$", (DEPLOY / "systemd" / name).read_text(), re.MULTILINE
        )
        assert found
        return int(found[1])

    assert seconds("traffic-api.service") >= serve._FINISH_SECONDS + 5
    # The daemon's threads end after their current poll of Kafka.
    assert seconds("traffic-dagster-daemon.service") >= TICK_SECONDS + 15


def test_the_image_copies_existing_files() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
