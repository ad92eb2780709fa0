"""Cost of the asset checks: a fortnight with planted faults, and a day of a million readings."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.fortnight import FAULTS, Fortnight, delete_a_reading
from benchmarks.report import say, show, write
from benchmarks.servers import Servers, running_servers

# 302,400 readings, and a million a day from 3,474 sensors with two weeks of history.
FAULTY = Fortnight(sensors=12, interval_s=288)
LARGE = Fortnight(sensors=579, interval_s=300, days=15, raw_days=1)
EXPECTED = {
    "measures_present",
    "repeats_are_rare",
    "values_change",
    "sensors_deliver",
    "clocks_agree",
    "occupancy_in_percent",
    "every_event_has_its_reading",
}


@dataclass(frozen=True)
class Checked:
    """A run of `traffic check`: its JSON document, exit code, time (s) and peak memory (MB)."""

    document: Mapping[str, Any]
    code: int
    seconds: float
    peak_mb: float

    @property
    def failed(self) -> set[str]:
        """Names of the checks that failed."""
        return {check["name"] for check in self.document["checks"] if not check["passed"]}


def measure_checks(days: int = LARGE.days) -> None:
    """Check the faulty fortnight, then the last of `days` days with a million readings each."""
    large = Fortnight(sensors=LARGE.sensors, interval_s=LARGE.interval_s, days=days, raw_days=1)
    imports = _import_seconds()
    with running_servers() as servers:
        faulty = _measure(servers, FAULTY, with_faults=True)
        clean = _measure(servers, large, with_faults=False)
    findings = {
        "import_s": imports,
        "fortnight": _findings(FAULTY, faulty, imports)
        | {"as_planted": faulty.failed == EXPECTED and faulty.code == 1},
        "million_a_day": _findings(large, clean, imports),
    }
    path = write("checks", findings)
    rows = [
        (check["name"], f"{check['seconds']:.2f}", check["summary"])
        for check in clean.document["checks"]
    ]
    title = "Checks of a day of a million readings (the time of the first includes the imports)"
    show(title, _HEAD, rows)
    say(
        f"Fortnight of {FAULTY.readings:,} readings: {faulty.seconds:.1f} s, failed as planted: "
        f"{faulty.failed == EXPECTED}\n"
        f"Day of a million: {clean.seconds:.1f} s, {clean.seconds - imports:.1f} s after imports, "
        f"{clean.peak_mb:.0f} MB, exit {clean.code}\nWritten to {path}"
    )


_HEAD = ("check", "s", "summary")


def _findings(fortnight: Fortnight, checked: Checked, imports: float) -> dict[str, Any]:
    return {
        "readings": fortnight.readings,
        "exit": checked.code,
        "seconds": round(checked.seconds, 2),
        "seconds_after_imports": round(checked.seconds - imports, 2),
        "peak_mb": round(checked.peak_mb, 1),
        "failed": sorted(checked.failed),
        "checks": {check["name"]: check["seconds"] for check in checked.document["checks"]},
    }


def _measure(servers: Servers, fortnight: Fortnight, *, with_faults: bool) -> Checked:
    with servers.database(migrated=True) as database:
        say(f"Storing {fortnight.readings:,} readings")
        url = servers.postgres.url("traffic_owner", database)
        with psycopg.connect(url, autocommit=True) as owner:
            fortnight.store(owner, FAULTS if with_faults else ())
            if with_faults:
                delete_a_reading(owner, fortnight)
        say("Checking the last day")
        return run_check(
            ["--date", fortnight.last_day.isoformat()],
            {
                "TRAFFIC_DATABASE_URL": url,
                "TRAFFIC_READ_DATABASE_URL": servers.postgres.url("traffic_read", database),
            },
        )


def run_check(arguments: Sequence[str], variables: Mapping[str, str]) -> Checked:
    """Run `traffic check --json` in its own process, so that its memory can be measured."""
    program = "from traffic_platform.cli import main; main()"
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-c", program, "check", "--json", *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, **variables},
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    return Checked(json.loads(out), process.returncode, seconds, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    """Return the peak memory in MB; Linux counts in KiB, macOS in bytes."""
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def _import_seconds() -> float:
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", "import great_expectations"], check=True)
    return round(time.monotonic() - started, 2)
