"""Look for known vulnerabilities of what requirements/local.txt installs.

    python checks/dependencies.py       exit 1: a version is known to be vulnerable

pip-audit asks the database of OSV. Where that cannot be reached, this says so, and compares the
versions with checks/advisories.toml: advisories of some of our dependencies, written down by hand.
That list finds an old version that came back; it does not know later advisories.
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
    """Audit."""
    if reachable():
        sys.exit(audit())
    print(
        f"The dependencies were NOT audited: {DATABASE} cannot be reached from here. They are"
        f" compared with the advisories in {ADVISORIES.relative_to(ROOT)} only."
    )
    known = recorded()
    if known:
        sys.exit("\n".join(known))


def reachable() -> bool:
    """Whether the database of vulnerabilities answers."""
    try:
        socket.create_connection((DATABASE, 443), timeout=2).close()
    except OSError:
        return False
    return True


def audit() -> int:
    """Run pip-audit; its exit code."""
    command = ("-r", str(LOCK), "--no-deps", "--disable-pip", "--require-hashes", "-s", "osv")
    return subprocess.run([sys.executable, "-m", "pip_audit", *command], check=False).returncode


def recorded() -> list[str]:
    """The pinned versions that a recorded advisory is about."""
    pins = {name.lower(): version for name, version in _PIN.findall(LOCK.read_text())}
    return [
        f"{item['package']} {pins[item['package']]}: {item['advisory']} ({item['about']})"
        for item in tomllib.loads(ADVISORIES.read_text())["advisory"]
        if item["package"] in pins
        and SpecifierSet(item["affected"]).contains(pins[item["package"]], prereleases=True)
    ]


if __name__ == "__main__":
    main()
