"""A Kafka that rejects the client or a request: one line, exit code 1, within 15 s."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from traffic_platform.errors import RefusedError
from traffic_platform.ingest.drain import RunLimits, run_ingest
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.kafka.consumer import BatchConsumer
from traffic_platform.settings import Settings
from traffic_platform.stack.standalone import Standalone
from traffic_platform_tests.faults.ingest_runs import wait_until
from traffic_platform_tests.security.conftest import SOON, Traffic
from traffic_platform_tests.security.documented_acls import documented
from traffic_platform_tests.security.secured_kafka import PASSWORD, USER, Acl, SecuredKafka

EVENT = b'{"sensor_id":"s1","timestamp":"2025-10-04T08:00:00Z","speed":61.5,"volume":900}'
SAMPLE = Path(__file__).parents[2] / "examples/portland_i205/freeway_loopdata_OneHour.csv"
COMMANDS = (
    ("ingest", "--once"),
    ("produce", "--count", "10"),
    ("replay", str(SAMPLE)),
    ("up", "--detach", "--no-dagster"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
def test_a_wrong_password_is_one_line_that_names_the_settings(
    command: tuple[str, ...], traffic: Traffic
) -> None:
    ended = traffic(*command, TRAFFIC_KAFKA_SASL_PASSWORD="not the password")
    ended.expect_refusal("rejects this client", "credentials", "TRAFFIC_KAFKA_SASL_PASSWORD")
    assert "not the password" not in ended.err


@pytest.mark.parametrize("deep", [(), ("--deep",)])
def test_verify_with_a_wrong_password_could_not_run(
    deep: tuple[str, ...], traffic: Traffic
) -> None:
    ended = traffic("verify", *deep, TRAFFIC_KAFKA_SASL_PASSWORD="not the password")
    assert ended.code == 2
    assert ended.seconds < SOON
    assert ended.err.count("\n") == 1
    assert "TRAFFIC_KAFKA_SASL_PASSWORD" in ended.err


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda words: words[0])
def test_an_untrusted_certificate_is_one_line_that_names_the_setting(
    command: tuple[str, ...], secured: SecuredKafka, traffic: Traffic
) -> None:
    stranger = str(secured.certificates.stranger)
    ended = traffic(*command, TRAFFIC_KAFKA_SSL_CA_LOCATION=stranger)
    ended.expect_refusal("certificate verify failed", "TRAFFIC_KAFKA_SSL_CA_LOCATION")


@pytest.mark.parametrize("command", COMMANDS[:2], ids=lambda words: words[0])
def test_an_unsupported_mechanism_is_one_line_with_the_supported_ones(
    command: tuple[str, ...], secured: SecuredKafka, traffic: Traffic
) -> None:
    changed = secured.plaintext_environment("SCRAM-SHA-512")
    ended = traffic(*command, TRAFFIC_KAFKA_SSL_CA_LOCATION=None, **changed)
    ended.expect_refusal("supported mechanisms: PLAIN", "Set TRAFFIC_KAFKA_SASL_MECHANISM")


def without_sasl(**changed: str | None) -> dict[str, str | None]:
    return {
        "TRAFFIC_KAFKA_SASL_MECHANISM": None,
        "TRAFFIC_KAFKA_SASL_USERNAME": None,
        "TRAFFIC_KAFKA_SASL_PASSWORD": None,
        **changed,
    }


def test_a_missing_client_certificate_is_one_line_that_names_the_settings(
    secured: SecuredKafka, traffic: Traffic
) -> None:
    changed = {
        name: None if "CERTIFICATE" in name or "KEY" in name else value
        for name, value in secured.certificate_environment().items()
    }
    ended = traffic("ingest", "--once", **without_sasl(**changed))
    ended.expect_refusal("certificate required", "TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION")


def test_a_wrong_password_of_the_key_is_one_line(secured: SecuredKafka, traffic: Traffic) -> None:
    changed = {**secured.certificate_environment(), "TRAFFIC_KAFKA_SSL_KEY_PASSWORD": "open, pray"}
    ended = traffic("ingest", "--once", **without_sasl(**changed))
    ended.expect_refusal("TRAFFIC_KAFKA_SSL_KEY_LOCATION", "TRAFFIC_KAFKA_SSL_KEY_PASSWORD")
    assert "open, pray" not in ended.err


def test_an_invalid_authority_file_is_one_line(tmp_path: Path, traffic: Traffic) -> None:
    text = tmp_path / "authority.pem"
    text.write_text("no certificate")
    ended = traffic("produce", "--count", 1, TRAFFIC_KAFKA_SSL_CA_LOCATION=str(text))
    ended.expect_refusal("TRAFFIC_KAFKA_SSL_CA_LOCATION cannot be used")


def test_a_port_with_another_protocol_is_one_line(secured: SecuredKafka, traffic: Traffic) -> None:
    servers = f"127.0.0.1:{secured.plaintext_port}"
    ended = traffic("produce", "--count", 1, TRAFFIC_KAFKA_BOOTSTRAP_SERVERS=servers)
    ended.expect_refusal(servers, "does not answer", "PLAINTEXT broker listener?")


def test_a_missing_right_is_one_line_that_names_topic_or_group(
    secured: SecuredKafka,
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    traffic: Traffic,
) -> None:
    topic, group = make_topic(), settings.consumer_group
    read: Acl = (ResourceType.TOPIC, topic, AclOperation.READ)
    describe: Acl = (ResourceType.TOPIC, topic, AclOperation.DESCRIBE)
    use: Acl = (ResourceType.GROUP, group, AclOperation.READ)
    secured.allow([*documented(settings, "ingest"), describe])
    produce([EVENT] * 3)

    secured.forbid([use])
    refused = traffic("ingest", "--once", TRAFFIC_BATCH_MESSAGES="1")
    assert refused.err.splitlines()[0] == (
        f"Kafka denies access to group {group}; ingest continues"
    )
    assert refused.err.splitlines()[1:] == [
        f"Kafka does not allow Read on group {group}. Add the ACL."
        " docs/kafka.md lists the permissions of each part of the platform."
    ]
    assert refused.code == 1
    assert refused.seconds < SOON
    with psycopg.connect(settings.endpoints().read_url) as connection:
        assert connection.execute("select count(*) from traffic.raw_events").fetchone() == (3,)
    secured.allow([use])

    produce([EVENT])
    secured.forbid([read])
    for command in (("ingest", "--once"), ("produce", "--count", "1")):
        right = "Write" if command[0] == "produce" else "Read"
        traffic(*command).expect_refusal(f"Kafka does not allow {right} on topic {topic}")

    secured.forbid([describe])
    for command in (("ingest", "--once"), ("produce", "--count", "1")):
        traffic(*command).expect_refusal("Kafka does not allow Describe", f"on topic {topic}")


def test_verify_deep_names_the_missing_right_to_read_the_topics_configuration(
    secured: SecuredKafka,
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    traffic: Traffic,
) -> None:
    topic = make_topic()
    produce([EVENT])
    secured.allow(documented(settings, "ingest"))
    assert traffic("ingest", "--once").code == 0
    assert traffic("verify").code == 0
    ended = traffic("verify", "--deep")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"Kafka does not allow DescribeConfigs on topic {topic}" in ended.err


def set_password(admin: AdminClient, password: str) -> None:
    """Change the password of `traffic` for SCRAM-SHA-512."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    change = UserScramCredentialUpsertion(USER, info, password.encode())
    admin.alter_user_scram_credentials([change])[USER].result(timeout=30)


class IngestThread(threading.Thread):
    """An ingest run in this process."""

    def __init__(self, settings: Settings, outage_seconds: float) -> None:
        super().__init__()
        self._settings, self._outage = settings, outage_seconds
        self.stop = threading.Event()
        self.totals: IngestTotals | None = None
        self.error: Exception | None = None

    def stack(self) -> str:
        """Return the current stack of the thread."""
        frame = sys._current_frames().get(self.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else "it has ended"

    def run(self) -> None:
        limits = RunLimits(seconds=120, idle_seconds=120, outage_seconds=self._outage)
        try:
            self.totals = run_ingest(
                self._settings,
                [self._settings.raw_topic],
                limits=limits,
                run_id=None,
                stop=self.stop.is_set,
            )
        except Exception as error:
            self.error = error


def raw_rows(settings: Settings) -> int:
    with psycopg.connect(settings.endpoints().read_url) as connection:
        row = connection.execute("select count(*) from traffic.raw_events").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("mended", [True, False])
def test_a_running_ingest_run_retries_a_refused_password_but_not_for_ever(
    mended: bool,
    secured: SecuredKafka,
    secured_process: tuple[SecuredKafka, Standalone],
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="traffic_platform")
    make_topic()
    produce([EVENT] * 3)
    secured.allow(documented(settings, "ingest"))
    run = IngestThread(settings, outage_seconds=60 if mended else 1)
    run.start()
    try:
        wait_until(lambda: raw_rows(settings) == 3, "the first events")
        set_password(secured.admin(), "changed")
        secured_process[1].kill()  # connected clients stay logged in until then
        secured_process[1].start()
        if mended:
            wait_until(lambda: "rejects this client" in caplog.text, "the refusal")
            set_password(secured.admin(), PASSWORD)
            produce([EVENT] * 2)
            wait_until(lambda: raw_rows(settings) == 5, "the events after it")
        else:
            run.join(60)
            assert not run.is_alive(), run.stack()
    finally:
        set_password(secured.admin(), PASSWORD)
        run.stop.set()
        run.join(60)
    if mended:
        assert run.error is None
    else:
        assert isinstance(run.error, RefusedError)


def test_an_unanswered_commit_to_the_group_does_not_block_a_consumer_from_closing(
    secured: SecuredKafka,
    secured_process: tuple[SecuredKafka, Standalone],
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
) -> None:
    topic = make_topic()
    produce([EVENT])
    secured.allow(documented(settings, "ingest"))
    fetcher = BatchConsumer(settings.kafka_config(), settings.consumer_group, 10, 10_000)
    fetcher.assign(dict.fromkeys([(topic, partition) for partition in range(6)], (0, None)))
    wait_until(lambda: sum(map(len, fetcher.columns(fetcher.poll(0.1)))) == 1, "the event")
    fetcher.commit_to_group({(topic, 0): 1}, wait=True)
    set_password(secured.admin(), "changed")
    os.kill(secured_process[1].pid, signal.SIGSTOP)
    try:
        fetcher.commit_to_group({(topic, 0): 1}, wait=False)
        secured_process[1].kill()
        secured_process[1].start()
        closing = threading.Thread(target=fetcher.close, daemon=True)
        closing.start()
        closing.join(30)
        assert not closing.is_alive()
    finally:
        set_password(secured.admin(), PASSWORD)


def test_an_unavailable_broker_is_retried(
    secured_process: tuple[SecuredKafka, Standalone],
    secured: SecuredKafka,
    settings: Settings,
    make_topic: Callable[..., str],
    produce: Callable[..., None],
    tmp_path: Path,
) -> None:
    make_topic()
    produce([EVENT] * 3)
    secured.allow(documented(settings, "ingest"))
    secured_process[1].kill()
    log = tmp_path / "ingest.log"
    with log.open("wb") as stream:
        command = "from traffic_platform.cli import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", command, "ingest", "--once"], stderr=stream
        )
    try:
        wait_until(lambda: "does not answer" in log.read_text(), "the outage")
        assert process.poll() is None
    finally:
        secured_process[1].start()
    assert process.wait(60) == 0, log.read_text()
    assert raw_rows(settings) == 3
