"""Kafka's jars: exactly those of the lock file, unaltered, and retried downloads."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path

import pytest
import requests

from traffic_platform.stack import kafka_jars
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka_jars import (
    KAFKA_VERSION,
    LOCK_FILE,
    Jar,
    class_path,
    ensure_jars,
    locked_jars,
)


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    """Folder with every jar."""
    ensure_jars()
    for jar in class_path():
        os.symlink(jar, tmp_path / jar.name)
    return tmp_path


def test_the_lock_file_has_a_hash_for_every_jar_and_no_host() -> None:
    jars = locked_jars()
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in {jar.name for jar in jars}
    assert len({jar.name for jar in jars}) == len(jars)
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in jars)
    assert "http" not in LOCK_FILE.read_text()


def test_unaltered_jars_pass(jars: Path) -> None:
    ensure_jars(jars)


def test_an_altered_jar_is_rejected_by_name(jars: Path) -> None:
    altered = jars / locked_jars()[7].name
    content = bytearray(altered.read_bytes())
    content[len(content) // 2] ^= 1
    altered.unlink()
    altered.write_bytes(content)
    with pytest.raises(StackError, match=rf"{re.escape(str(altered))} has SHA-256"):
        ensure_jars(jars)


def test_a_jar_that_is_not_in_the_lock_file_is_rejected(jars: Path) -> None:
    (jars / "extra-1.0.jar").write_bytes(b"")
    with pytest.raises(StackError, match=r"extra-1\.0\.jar is not in Kafka's lock file"):
        ensure_jars(jars)


def test_a_damaged_copy_in_the_local_repository_is_not_used(
    jars: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = locked_jars()[0]
    repository = tmp_path_factory.mktemp("m2")
    copy = repository.joinpath(*jar.group.split("."), jar.artifact, jar.version, jar.name)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(b"half a jar")
    monkeypatch.setenv("M2_REPO", str(repository))
    (jars / jar.name).unlink()
    with pytest.raises(StackError, match="it was altered or damaged"):
        ensure_jars(jars)
    assert not (jars / jar.name).exists()


@pytest.fixture
def missing_jar(
    jars: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A jar that is missing and not in the local Maven repository. Retries are quick."""
    monkeypatch.setenv("M2_REPO", str(tmp_path_factory.mktemp("m2")))
    monkeypatch.setattr(kafka_jars, "_FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(kafka_jars, "_LONGEST_RETRY_SECONDS", 0.01)
    jar = jars / locked_jars()[0].name
    jar.unlink()
    return jar


def test_an_interrupted_download_is_retried(
    missing_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [requests.ConnectionError("no name"), requests.Timeout("too slow")]

    def download(jar: Jar, folder: Path) -> None:
        if failures:
            raise failures.pop()
        shutil.copyfile(class_path()[0], folder / jar.name)

    monkeypatch.setattr(kafka_jars, "_download", download)
    ensure_jars(missing_jar.parent)
    assert missing_jar.exists()


def test_names_that_cannot_be_resolved_are_retried_and_then_reported(
    missing_jar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups: list[object] = []

    def fail(*arguments: object, **_options: object) -> None:
        lookups.append(arguments)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(kafka_jars, "_OUTAGE_SECONDS", 0.5)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(StackError, match=r"cannot be downloaded: .*Check the network"):
        ensure_jars(missing_jar.parent)
    assert len(lookups) > 1
