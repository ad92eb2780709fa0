"""`traffic up --demo sample`: Portland's hour, through Kafka and Dagster into the tables."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import psutil
import psycopg
import pytest

from traffic_platform.stack.kafka_jars import ensure_jars
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.stack.conftest import CommandLine

DAGSTER = {"dagster-code", "dagster-webserver", "dagster-daemon"}


@pytest.fixture(scope="module")
def demo(make_stack: Callable[..., CommandLine]) -> tuple[CommandLine, str]:
    """The running demo and the output of its start. A proxy is set that does not answer."""
    ensure_jars()
    stack = make_stack(http_proxy="http://127.0.0.1:1", https_proxy="http://127.0.0.1:1")
    started = stack("up", "--detach", "--demo", "sample")
    assert started.returncode == 0, started.stderr
    return stack, started.stdout


def test_the_sample_has_arrived_when_up_returns(demo: tuple[CommandLine, str]) -> None:
    stack, printed = demo
    assert "Arrived: 12,420 raw = 12,407 processed + 13 quarantined; 12,407 readings\n" in printed
    assert "/day?date=2011-09-15 (Portland's hour)\n" in printed
    # The publisher may just have written the clean stream, which ingest reads and skips.
    wait_until(lambda: stack.status()["lag"] == 0, "the lag is 0")
    status = stack.status()
    assert status["healthy"], status
    assert status["last_commit_at"].endswith("Z")
    assert status["services"].keys() == {"postgres", "kafka", "api", *DAGSTER}
    with psycopg.connect(status["postgres"]["url"]) as connection:
        counts = [
            connection.execute(f"select count(*) from traffic.{table}").fetchone()  # pyright: ignore
            for table in (
                "raw_events",
                "processed_events",
                "traffic_readings",
                "quarantined_events",
            )
        ]
    assert counts == [(12420,), (12407,), (12407,), (13,)]


def test_the_printed_address_is_dagsters(demo: tuple[CommandLine, str]) -> None:
    stack, printed = demo
    url = stack.status()["dagster"]["url"]
    assert f"Dagster:    {url}\n" in printed
    with urllib.request.urlopen(f"{url}/server_info", timeout=10) as answer:
        assert "dagster_version" in json.load(answer)


def test_the_demo_is_not_loaded_twice(demo: tuple[CommandLine, str]) -> None:
    stack, _ = demo
    again = stack("up", "--detach", "--demo", "sample")
    assert again.returncode == 0, again.stderr
    assert "Arrived: 12,420 raw" in again.stdout


def spoil(stack: CommandLine, statement: str) -> int:
    """Change readings by hand, and return the number of changed rows."""
    with psycopg.connect(stack.status()["postgres"]["url"]) as connection:
        return connection.execute(statement).rowcount  # pyright: ignore[reportArgumentType]


def test_backfill_restores_rows_changed_by_hand_and_counts_them(
    demo: tuple[CommandLine, str],
) -> None:
    stack, _ = demo
    chosen = "where ctid = any(array(select ctid from traffic.traffic_readings order by id limit"
    gone = spoil(stack, f"delete from traffic.traffic_readings {chosen} 120))")
    altered = spoil(stack, f"update traffic.traffic_readings set speed = 3.25 {chosen} 80))")
    assert (gone, altered) == (120, 80)
    dates = ("--from", "2011-09-15", "--to", "2011-09-16")

    planned = stack("backfill", *dates, "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    plan = {day["date"]: day for day in json.loads(planned.stdout)["dates"]}
    assert [plan[day]["readings_added"] for day in plan] == [120, 0]
    assert [plan[day]["readings_changed"] for day in plan] == [80, 0]

    # Two runs: a date each.
    done = stack("backfill", *dates, "--chunk", "1", "--asset", "traffic_readings", "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [run["status"] for run in answer["runs"]] == ["SUCCESS", "SUCCESS"]
    first, second = (day["traffic_readings"] for day in answer["dates"])
    assert (first["readings_added"], first["readings_changed"]) == (120, 80)
    assert (second["readings_added"], second["readings_changed"]) == (0, 0)

    again = stack("backfill", *dates[:2])
    assert again.returncode == 0, again.stderr
    assert "1 date rebuilt." in again.stdout
    assert stack("verify").returncode == 0


def test_a_backfill_whose_process_was_killed_continues_by_itself(
    demo: tuple[CommandLine, str],
) -> None:
    stack, _ = demo
    chosen = "where ctid = any(array(select ctid from traffic.traffic_readings order by id limit"
    endpoints = json.loads((stack.home / "run" / "endpoints.json").read_text())
    assert spoil(stack, f"delete from traffic.traffic_readings {chosen} 120))") == 120
    with (
        psycopg.connect(stack.status()["postgres"]["url"]) as holding,
        psycopg.connect(endpoints["dagster_url"], autocommit=True) as storage,
    ):
        # The run cannot write before this ends.
        holding.execute("lock table traffic.traffic_readings in share mode")
        command = stack.start("backfill", "--from", "2011-09-15", "--asset", "traffic_readings")
        query = """select t.value from runs r join run_tags t using (run_id)
            where r.pipeline_name = 'backfill_dates' and r.status = 'STARTED'
              and t.key = 'traffic/worker'"""
        while (row := storage.execute(query).fetchone()) is None:
            assert command.poll() is None, command.communicate()
            time.sleep(0.1)
        psutil.Process(int(row[0].split("/")[1])).kill()
    output, errors = command.communicate(timeout=200)
    assert command.returncode == 0, errors
    assert "continues." in output
    assert "120 readings added" in output
    assert "1 date rebuilt." in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "2011-09-16", "--to", "2011-09-15"), "2011-09-15 is before --from 2011-09-16"),
        (("--from", "1999-01-01"), "TRAFFIC_FIRST_DATE"),
        (("--from", "2011-09-15", "--asset", "traffic_reading"), "raw_events"),
        (("--from", "yesterday"), "does not match the format"),
    ],
)
def test_a_backfill_with_an_invalid_date_or_asset_is_refused(
    demo: tuple[CommandLine, str], arguments: tuple[str, ...], message: str
) -> None:
    refused = demo[0]("backfill", *arguments)
    assert refused.returncode == 2
    assert message in " ".join(refused.stderr.replace("│", " ").split())


def test_dagsters_processes_are_restarted_one_by_one(demo: tuple[CommandLine, str]) -> None:
    stack, _ = demo
    before = stack.status()["services"]
    for name in ("dagster-code", "dagster-daemon"):
        psutil.Process(before[name]["pid"]).kill()
    deadline = time.monotonic() + 90
    while True:
        status: dict[str, Any] = stack.status()
        restarts = {name: status["services"][name]["restarts"] for name in DAGSTER}
        if status["healthy"] and restarts["dagster-code"] and restarts["dagster-daemon"]:
            break
        assert time.monotonic() < deadline, status
        time.sleep(0.5)
    assert restarts["dagster-webserver"] == 0
    assert status["services"]["postgres"]["pid"] == before["postgres"]["pid"]


def test_down_ends_ingest_runs_and_everything_else(demo: tuple[CommandLine, str]) -> None:
    stack, _ = demo
    assert stack("down").returncode == 0
    assert stack.processes() == []
