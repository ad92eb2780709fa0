"""Look for secrets in all files under version control, with detect-secrets.

    python checks/no_secrets.py            exit 1: a new value looks like a secret
    python checks/no_secrets.py --accept   accept the values found: write them to the list

The list, checks/no_secrets.json, has hashes but no line numbers. So it changes only when the values
change.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("no_secrets.json")
# Checksums and measurements by the thousand.
LEFT_OUT = re.compile(
    r"requirements/.*\.txt|examples/.*\.csv|.*\.lock\.toml|checks/no_secrets\.json"
)
OWN_KEYS = re.compile(rb"traffickey_[0-9A-Za-z]{49}")


def main() -> None:
    """Scan all files and compare the values found with the list."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    wanted = [name for name in names if name and not LEFT_OUT.fullmatch(name)]
    found = scan([name for name in wanted if (ROOT / name).is_file()])
    if "--accept" in sys.argv:
        hashes = {name: sorted(secrets) for name, secrets in sorted(found.items())}
        LIST.write_text(json.dumps(hashes, indent=2) + "\n")
        return
    known = json.loads(LIST.read_text())
    new = [
        f"{name}:{line}: {kind}"
        for name, secrets in found.items()
        for hashed, (line, kind) in secrets.items()
        if hashed not in known.get(name, [])
    ]
    if new:
        advice = "These values look like secrets. If they are not, run `make accept-secrets`."
        sys.exit("\n".join([*new, advice]))
    print(f"No new secrets in {len(wanted)} files.")


def scan(names: list[str]) -> dict[str, dict[str, tuple[int, str]]]:
    """Return line and kind of each suspicious value of each file, by the hash of the value."""
    found: dict[str, dict[str, tuple[int, str]]] = {}
    with default_settings():
        collection = SecretsCollection(root=str(ROOT))
        collection.scan_files(*names)
    for name, secret in collection:
        found.setdefault(name, {})[secret.secret_hash] = (secret.line_number, secret.type)
    for name in names:
        for number, line in enumerate((ROOT / name).read_bytes().splitlines(), 1):
            for key in OWN_KEYS.findall(line):
                hashed = hashlib.sha256(key).hexdigest()
                found.setdefault(name, {})[hashed] = (number, "Key of the API")
    return found


if __name__ == "__main__":
    main()
