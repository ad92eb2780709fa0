"""The path of a message on the oldest supported PostgreSQL and Kafka.

The tests of other folders run again in a process of their own, whose servers have these versions.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from traffic_platform_tests.versions.oldest import KAFKA, postgres_programs

TESTS = Path(__file__).parents[1]
# Ingest, transactions of Kafka, publishing, roll-ups, the API, and `verify --deep`.
FILES = (
    "integration/test_ingest_run.py",
    "integration/test_transactions.py",
    "integration/test_verify_beside_kafka.py",
    "rollups/test_rollups_of_a_stream.py",
    "rollups/test_sql_for_people.py",
    "api/test_historical.py",
)


@pytest.mark.timeout(900)  # dozens of tests
def test_the_path_of_a_message_on_the_oldest_versions(tmp_path: Path) -> None:
    programs = postgres_programs()
    if programs is None:
        report = pytest.fail if os.environ.get("CI") else pytest.skip
        report("PostgreSQL 15 was not found. Install its server: apt-get install postgresql-15")
    asked = {"TRAFFIC_TEST_POSTGRES": str(programs), "TRAFFIC_TEST_KAFKA": KAFKA}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    arguments = ["-n", "0", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'own'}"]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, *(str(TESTS / name) for name in FILES)],
        env={**kept, **asked},
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-20_000:]
