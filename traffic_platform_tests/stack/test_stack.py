"""The stack of `traffic up --no-dagster`: PostgreSQL, Kafka and API, with faults."""

from __future__ import annotations

import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from traffic_platform.stack.kafka import wait_for_topics
from traffic_platform.stack.ports import is_free
from traffic_platform.stack.postgres import Postgres
from traffic_platform_tests.stack.conftest import POSTGRES_PORT, CommandLine

MARKS = "marks"
KEYS = {
    "healthy",
    "kafka",
    "postgres",
    "dagster",
    "api",
    "dashboard",
    "services",
    "lag",
    "last_commit_at",
}


def wait_for_status(stack: CommandLine, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while True:
        status = stack.status()
        if wanted(status):
            return status
        assert time.monotonic() < deadline, status
        time.sleep(0.2)


def port_of(status: dict[str, Any]) -> tuple[int, int, int]:
    """Return the ports of PostgreSQL, Kafka and the API."""
    postgres = psycopg.conninfo.conninfo_to_dict(status["postgres"]["url"])["port"]
    kafka = status["kafka"]["bootstrap_servers"].partition(":")[2]
    return int(postgres or 0), int(kafka), urlsplit(status["api"]["url"]).port or 0


def leave_a_mark(status: dict[str, Any], mark: str) -> None:
    """Commit a row, and publish a message to a topic that is not ingested."""
    with psycopg.connect(status["postgres"]["url"]) as connection:
        connection.execute("create table if not exists marks (mark text)")
        connection.execute("insert into marks values (%s)", [mark])
    servers = {"bootstrap.servers": status["kafka"]["bootstrap_servers"]}
    admin = AdminClient(servers)
    if MARKS not in admin.list_topics(timeout=20).topics:
        admin.create_topics([NewTopic(MARKS, num_partitions=1)])[MARKS].result(timeout=20)
        wait_for_topics(admin, [MARKS])
    producer = Producer(servers)
    producer.produce(MARKS, mark.encode(), partition=0)
    assert producer.flush(30) == 0


def marks(status: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Return the rows and the messages of `leave_a_mark`."""
    with psycopg.connect(status["postgres"]["url"]) as connection:
        rows = [mark for (mark,) in connection.execute("select mark from marks order by mark")]
    consumer = Consumer(
        {"bootstrap.servers": status["kafka"]["bootstrap_servers"], "group.id": "marks"}
    )
    _, end = consumer.get_watermark_offsets(TopicPartition(MARKS, 0), timeout=20)
    consumer.assign([TopicPartition(MARKS, 0, 0)])
    messages = consumer.consume(end, timeout=20)
    consumer.close()
    return rows, [(message.value() or b"").decode() for message in messages]


@pytest.fixture(scope="module")
def stacks(make_stack: Callable[..., CommandLine]) -> tuple[CommandLine, CommandLine]:
    """Two stacks, started at the same time with the same first ports, one of them in use."""
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", POSTGRES_PORT))
        taken.listen()
        both = make_stack(), make_stack(TRAFFIC_API_HOST="0.0.0.0")
        starting = [stack.start("up", "--detach", "--no-dagster") for stack in both]
        for process, needs_key in zip(starting, (False, True), strict=True):
            output, errors = process.communicate(timeout=240)
            assert process.returncode == 0, errors
            assert "PostgreSQL: postgresql://traffic_owner@127.0.0.1:" in output
            assert ("every request except /health/ needs a key" in output) == needs_key
    return both


def test_two_stacks_run_side_by_side_next_to_a_port_in_use(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    statuses = [stack.status() for stack in stacks]
    assert all(status["healthy"] for status in statuses), statuses
    ports = [port for status in statuses for port in port_of(status)]
    assert len(set(ports)) == 6
    assert POSTGRES_PORT not in ports
    for stack, status in zip(stacks, statuses, strict=True):
        leave_a_mark(status, stack.home.parent.name)
    for stack in stacks:
        assert (stack.home / "kafka" / "data" / "meta.properties").exists()
        assert list(stack.home.parent.iterdir()) == [stack.home]
    for stack, status in zip(stacks, statuses, strict=True):
        assert marks(status) == ([stack.home.parent.name], [stack.home.parent.name])


def test_status_has_the_promised_keys(stacks: tuple[CommandLine, CommandLine]) -> None:
    status = json.loads(stacks[0]("status", "--json").stdout)
    assert status.keys() >= KEYS
    assert status["lag"] == 0
    assert status["last_commit_at"] is None
    assert {"postgres", "kafka", "api"} == status["services"].keys()
    for service in status["services"].values():
        assert service["state"] == "running"
        assert service["pid"] > 0
        assert service["restarts"] == 0
    shown = stacks[0]("status")
    assert shown.returncode == 0
    assert status["postgres"]["url"] not in shown.stdout


def test_api_and_page_answer_at_the_addresses_that_up_prints(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    status = stacks[0].status()
    url = status["api"]["url"]
    assert status["dashboard"] == {"url": url}
    printed = stacks[0]("status").stdout
    assert f"Dashboard:  {url}\n" in printed
    assert f"API:        {url}/docs\n" in printed
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for path in ("/", "/health/live", "/docs", "/openapi.json"):
        with opener.open(f"{url}{path}", timeout=20) as answer:
            assert answer.status == 200, path
    with pytest.raises(HTTPError, match="401"):
        opener.open(f"{stacks[1].status()['api']['url']}/docs", timeout=20)


def test_status_is_not_healthy_in_another_zone_than_the_databases(
    stacks: tuple[CommandLine, CommandLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(stacks[0].variables, "TRAFFIC_TIMEZONE", "Europe/Berlin")
    shown = stacks[0]("status")
    assert shown.returncode == 1
    assert "TRAFFIC_TIMEZONE is 'Europe/Berlin'" in shown.stdout


def test_passwords_are_readable_by_their_owner_only(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    for name in ("passwords.json", "run/endpoints.json"):
        assert (stacks[0].home / name).stat().st_mode & 0o077 == 0


def test_postgresql_has_no_socket_and_the_settings_of_the_design(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    home, (port, _, _) = stacks[0].home, port_of(stacks[0].status())
    superuser = Postgres(home / "postgres", home / "passwords.json", port)
    expected = {
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "max_locks_per_transaction": "512",
        "max_wal_size": "4GB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    }
    with psycopg.connect(superuser.url("postgres", "postgres")) as connection:
        for name, value in expected.items():
            assert connection.execute(f"show {name}").fetchone() == (value,), name


def test_up_twice_changes_nothing(stacks: tuple[CommandLine, CommandLine]) -> None:
    before = stacks[0].status()["services"]
    again = stacks[0]("up", "--detach", "--no-dagster")
    assert again.returncode == 0
    assert "was running already" in again.stderr
    assert stacks[0].status()["services"] == before


def test_a_running_stack_with_other_parts_is_refused(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    before = stacks[0].status()["services"]
    other = stacks[0]("up", "--detach")
    assert other.returncode == 1
    last = other.stderr.strip().splitlines()[-1]
    assert "runs without Dagster" in last
    assert "`traffic down`" in last
    assert stacks[0].status()["services"] == before


def test_a_stack_restores_its_deleted_files(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    stack = stacks[0]
    before = stack.status()
    shutil.rmtree(stack.home / "run")
    shutil.rmtree(stack.home / "logs")
    after = wait_for_status(stack, lambda status: status["healthy"])
    assert after["services"] == before["services"]
    assert after["postgres"] == before["postgres"]
    again = stack("up", "--detach", "--no-dagster")
    assert again.returncode == 0, again.stderr
    assert "was running already" in again.stderr


def test_a_stack_that_cannot_write_its_state_continues(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    stack = stacks[1]
    before = stack.status()
    (stack.home / "run" / "state.new").mkdir()
    psutil.Process(before["services"]["kafka"]["pid"]).kill()
    wait_for_status(stack, lambda status: status["lag"] == 0)
    (stack.home / "run" / "state.new").rmdir()
    # The state file shows the restart as soon as it can be written again.
    wait_for_status(
        stack,
        lambda status: status["healthy"] and status["services"]["kafka"]["restarts"] == 1,
    )
    assert "state.new" in (stack.home / "logs" / "supervisor.log").read_text()


def test_status_names_the_session_that_blocks_the_ledger(
    stacks: tuple[CommandLine, CommandLine], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = stacks[0]
    before = stack.status()
    assert before["healthy"], before
    assert stack("produce", "--count", "5", "--rate", "0").returncode == 0
    monkeypatch.setattr("traffic_platform.monitoring.lag.STALL_SECONDS", 0.0, raising=False)
    monkeypatch.setattr("traffic_platform.monitoring.stall._BRIEF_SECONDS", 0.0, raising=False)
    url = before["postgres"]["url"]
    with psycopg.connect(url, application_name="a long report") as blocking:
        for table in ("raw_events", "kafka_offsets"):
            blocking.execute(f"lock table traffic.{table} in access exclusive mode")
            status = stack.status()
            assert not status["healthy"]
            [problem] = [text for text in status["problems"] if "a long report" in text]
            assert f"lock table traffic.{table} in access exclusive mode" in problem
            blocking.rollback()
    stored = stack("ingest", "--once")
    assert stored.returncode == 0, stored.stderr
    assert stack.status()["healthy"]


def test_killed_services_are_restarted_with_their_data(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    stack = stacks[0]
    before = stack.status()
    had = marks(before)
    for service in before["services"].values():
        next(p for p in stack.processes() if p.pid == service["pid"]).kill()
    after = wait_for_status(
        stack,
        lambda status: (
            status["healthy"]
            and all(service["restarts"] == 1 for service in status["services"].values())
        ),
    )
    assert {service["pid"] for service in after["services"].values()}.isdisjoint(
        service["pid"] for service in before["services"].values()
    )
    assert port_of(after) == port_of(before)
    assert marks(after) == had


def test_after_a_killed_supervisor_the_services_end_and_up_works_again(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    stack = stacks[1]
    before = stack.status()
    had = marks(before)
    supervisor = stack.supervisor()
    supervisor.kill()
    supervisor.wait()
    assert not stack.status()["healthy"]
    assert stack("up", "--detach", "--no-dagster").returncode == 0
    after = stack.status()
    assert after["healthy"], after
    assert port_of(after) == port_of(before)
    assert marks(after) == had


def test_after_everything_was_killed_up_works_again_with_all_committed_data(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    stack = stacks[0]
    leave_a_mark(stack.status(), "the last thing before the end")
    had = marks(stack.status())
    everything = [stack.supervisor(), *stack.processes()]
    for process in everything:
        process.suspend()
    for process in everything:
        process.kill()
    assert stack("up", "--detach", "--no-dagster").returncode == 0
    assert marks(stack.status()) == had


def test_down_leaves_nothing_running_and_reports_when_nothing_ran(
    stacks: tuple[CommandLine, CommandLine],
) -> None:
    for stack in stacks:
        ports = port_of(stack.status())
        ended = stack("down")
        assert (ended.returncode, ended.stdout) == (0, "The stack has stopped.\n")
        assert stack.processes() == []
        assert all(is_free(port) for port in ports)
        assert stack("down").stdout == "No stack is running.\n"
        status = stack("status", "--json")
        assert status.returncode == 1
        found = json.loads(status.stdout)
        assert found.keys() >= KEYS
        assert not found["healthy"]
