"""Look for known vulnerabilities in the packages of requirements/local.txt.

    python checks/dependencies.py       exit 1: a version is known to be vulnerable

pip-audit queries the database of OSV. If OSV is unavailable, the check reports that, and compares
the versions with checks/advisories.toml, a list of advisories that is kept by hand. That list
detects a return to an old version; it does not contain later advisories.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "local.txt"
ADVISORIES = Path(__file__).with_name("advisories.toml")
DATABASE = "api.osv.dev"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)


def main() -> None:
    """Audit the dependencies; exit 1 on a known vulnerability."""
    if reachable():
        sys.exit(audit())
    print(
        f"The dependencies were NOT audited, because {DATABASE} is unavailable. They are compared"
        f" only with the advisories in {ADVISORIES.relative_to(ROOT)}."
    )
    known = recorded()
    if known:
        sys.exit("\n".join(known))


def reachable() -> bool:
    """Return True if the database of vulnerabilities answers."""
    try:
        socket.create_connection((DATABASE, 443), timeout=2).close()
    except OSError:
        return False
    return True


def audit() -> int:
    """Run pip-audit and return its exit code."""
    command = ("-r", str(LOCK), "--no-deps", "--disable-pip", "--require-hashes", "-s", "osv")
    return subprocess.run([sys.executable, "-m", "pip_audit", *command], check=False).returncode


def recorded() -> list[str]:
    """Return a line for each pinned version with a recorded advisory."""
    pins = {name.lower(): version for name, version in _PIN.findall(LOCK.read_text())}
    return [
        f"{item['package']} {pins[item['package']]}: {item['advisory']} ({item['about']})"
        for item in tomllib.loads(ADVISORIES.read_text())["advisory"]
        if item["package"] in pins
        and SpecifierSet(item["affected"]).contains(pins[item["package"]], prereleases=True)
    ]


if __name__ == "__main__":
    main()
