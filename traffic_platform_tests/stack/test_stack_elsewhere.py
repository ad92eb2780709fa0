"""Stacks with servers of your own, and stacks that cannot start."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import psutil
import psycopg
import pytest
from confluent_kafka.admin import AdminClient

from traffic_platform.settings import Settings
from traffic_platform.stack import tasks
from traffic_platform.stack.errors import StackError
from traffic_platform_tests.conftest import KafkaServer, PostgresServer
from traffic_platform_tests.stack.conftest import CommandLine

MakeStack = Callable[..., CommandLine]


@pytest.fixture
def elsewhere(
    make_stack: MakeStack, environment: dict[str, str], admin: AdminClient, settings: Settings
) -> CommandLine:
    """A stack without Dagster whose PostgreSQL and Kafka are the session's servers."""
    named = {key: value for key, value in environment.items() if key != "TRAFFIC_HOME"}
    return make_stack(**named)


def assert_one_line(errors: str, *parts: str) -> None:
    """Assert that the last line is the whole error, without a traceback, and contains the parts."""
    assert "Traceback" not in errors
    last = errors.strip().splitlines()[-1]
    for part in parts:
        assert part in last


def test_servers_of_your_own_are_used_and_no_others_started(
    elsewhere: CommandLine, settings: Settings, admin: AdminClient
) -> None:
    started = elsewhere("up", "--detach", "--no-dagster")
    assert started.returncode == 0, started.stderr
    status = elsewhere.status()
    assert status["healthy"], status
    assert status["services"].keys() == {"api"}
    assert status["kafka"]["bootstrap_servers"] == settings.kafka_bootstrap_servers
    assert len(admin.list_topics(timeout=10).topics[settings.raw_topic].partitions) == 6
    assert elsewhere("down").returncode == 0


def test_ctrl_c_ends_a_stack_in_the_foreground(elsewhere: CommandLine) -> None:
    process = elsewhere.start("up", "--no-dagster")
    assert process.stdout is not None
    while "Ctrl-C" not in process.stdout.readline():
        assert process.poll() is None, process.communicate()
    supervisor = elsewhere.supervisor()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    psutil.wait_procs([supervisor], timeout=30)  # it has closed its output and is about to end
    assert not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE
    assert elsewhere.processes() == []


def test_a_foreground_stack_ends_with_its_command_even_one_killed_at_once(
    elsewhere: CommandLine,
) -> None:
    process = elsewhere.start("up", "--no-dagster")
    command = psutil.Process(process.pid)
    while not (children := command.children()):
        assert process.poll() is None, process.communicate()
    process.kill()
    process.communicate(timeout=60)
    # The command died long before the supervisor asked for its death signal.
    assert psutil.wait_procs(children, timeout=30)[1] == []
    assert elsewhere.processes() == []
    assert elsewhere("down").stdout == "No stack is running.\n"


def test_two_ups_at_once_start_one_stack(elsewhere: CommandLine) -> None:
    both = [elsewhere.start("up", "--detach", "--no-dagster") for _ in range(2)]
    errors = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert sum("was running already" in text for text in errors) == 1
    assert elsewhere("down").stdout == "The stack has stopped.\n"


def test_an_unavailable_database_is_named_and_nothing_stays_running(
    elsewhere: CommandLine,
) -> None:
    elsewhere.variables["TRAFFIC_DATABASE_URL"] = "postgresql://a:secret@127.0.0.1:1/traffic"
    failed = elsewhere("up", "--detach", "--no-dagster")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "TRAFFIC_DATABASE_URL", "see ", "schema.log")
    assert "secret" not in failed.stderr
    assert elsewhere.processes() == []
    assert not (elsewhere.home / "run" / "endpoints.json").exists()


def test_an_unavailable_kafka_is_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_ANSWER_SECONDS", 1)
    unavailable = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(StackError, match=r"127.0.0.1:1 does not answer.*BOOTSTRAP_SERVERS"):
        tasks.prepare_topics(unavailable)


def test_dagsters_database_is_created_if_the_role_may(
    settings: Settings, postgres: PostgresServer
) -> None:
    superuser = postgres.service.url("postgres", "traffic_template")
    changes = {"database_url": superuser, "dagster_database_url": f"{superuser}_dagster"}
    named = Settings.model_validate({**settings.model_dump(), **changes})
    tasks.prepare_schema(named)
    psycopg.connect(f"{superuser}_dagster").close()


def test_without_that_right_the_missing_database_is_named(
    settings: Settings, postgres: PostgresServer
) -> None:
    missing = postgres.service.url("traffic_owner", "nowhere")
    named = Settings.model_validate({**settings.model_dump(), "dagster_database_url": missing})
    with pytest.raises(StackError, match=r"'nowhere'.*TRAFFIC_DAGSTER_DATABASE_URL"):
        tasks.prepare_schema(named)


def test_a_database_of_an_unavailable_server_is_not_created_on_this_one(
    settings: Settings, postgres: PostgresServer
) -> None:
    url = postgres.service.url("postgres", "traffic_template")
    changes = {"database_url": url, "dagster_database_url": "postgresql://a:b@127.0.0.1:1/away"}
    named = Settings.model_validate({**settings.model_dump(), **changes})
    with pytest.raises(StackError, match=r"(?s)'away'.*TRAFFIC_DAGSTER_DATABASE_URL"):
        tasks.prepare_schema(named)
    with postgres.superuser() as connection:
        query = "select count(*) from pg_database where datname = 'away'"
        assert connection.execute(query).fetchone() == (0,)


def test_an_existing_database_that_refuses_is_not_created(
    settings: Settings, postgres: PostgresServer
) -> None:
    refused = postgres.service.url("traffic_read", "dagster")
    named = Settings.model_validate({**settings.model_dump(), "dagster_database_url": refused})
    with pytest.raises(
        StackError, match=r"(?s)'dagster' cannot be used: .*\. Correct TRAFFIC_DAGSTER"
    ):
        tasks.prepare_schema(named)


def test_a_service_that_cannot_start_is_one_line_with_its_log(
    make_stack: MakeStack, kafka: KafkaServer
) -> None:
    stack = make_stack(TRAFFIC_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_servers)
    data = stack.home / "postgres" / "data"
    data.mkdir(parents=True)
    failed = stack("up", "--detach", "--no-dagster")
    assert failed.returncode == 1
    log = stack.home.resolve() / "logs" / "postgres.log"
    assert_one_line(failed.stderr, "postgres could not start", str(log))
    assert log.stat().st_size > 0
    assert stack.processes() == []
    assert stack("status").returncode == 1


def test_a_time_zone_that_differs_from_the_databases_is_refused(elsewhere: CommandLine) -> None:
    elsewhere.variables["TRAFFIC_TIMEZONE"] = "Europe/Berlin"
    failed = elsewhere("up", "--detach", "--no-dagster")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "TRAFFIC_TIMEZONE")


def test_a_wrong_setting_is_one_line(make_stack: MakeStack) -> None:
    failed = make_stack(TRAFFIC_TIMEZONE="Mars/Olympus")("up", "--detach")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "TRAFFIC_TIMEZONE", "Mars/Olympus")


def test_a_home_with_a_comma_is_refused_in_one_line(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.home = stack.home.with_name("a,b")
    failed = stack("up", "--detach", "--no-dagster")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, "comma", "TRAFFIC_HOME", "a,b")
    assert stack.processes() == []


def test_debug_shows_the_traceback(make_stack: MakeStack) -> None:
    failed = make_stack(TRAFFIC_TIMEZONE="Mars/Olympus")("--debug", "status")
    assert "Traceback" in failed.stderr


def test_a_home_that_cannot_be_written_is_one_line(make_stack: MakeStack) -> None:
    stack = make_stack()
    stack.home.write_text("a file, no folder")
    failed = stack("up", "--detach")
    assert failed.returncode == 1
    assert_one_line(failed.stderr, str(stack.home))
    os.unlink(stack.home)
