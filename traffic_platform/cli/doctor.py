"""`traffic doctor`: find everything that keeps the platform from working."""

from __future__ import annotations

import typer

from traffic_platform.cli.console import counted, print_json, print_table, say
from traffic_platform.cli.options import Json


def doctor(*, as_json: Json = False) -> None:
    """Show everything that keeps the platform from working, and what to do.

    Checks settings, versions, rights, disk, clock, Kafka and both databases. A local server whose
    stack does not run is not checked. The exit code is 0 without a fault, 1 with one, and 2 if the
    command could not run.

    Example: traffic doctor
    """
    from dataclasses import asdict

    from traffic_platform.stack.doctor import examine

    findings = examine()
    faults = sum(finding.state == "fault" for finding in findings)
    if as_json:
        print_json({"healthy": not faults, "checks": [asdict(finding) for finding in findings]})
    else:
        rows = [(finding.subject, finding.state, finding.text) for finding in findings]
        print_table("", ("subject", "state", "finding"), rows)
        say(f"{counted(faults, 'fault')} found." if faults else "No fault found.")
    raise typer.Exit(1 if faults else 0)
