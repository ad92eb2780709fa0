"""Settings for Kafka's security: combinations, rejected values, and secrets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from traffic_platform.settings import Settings, SettingsError, load_settings

SECRET = "a secret"
SERVERS = {"TRAFFIC_KAFKA_BOOTSTRAP_SERVERS": "broker:9093"}
LOGIN = {
    "TRAFFIC_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
    "TRAFFIC_KAFKA_SASL_USERNAME": "traffic",
    "TRAFFIC_KAFKA_SASL_PASSWORD": SECRET,
}
SASL_SSL = {**SERVERS, "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL", **LOGIN}


@pytest.fixture
def pem(tmp_path: Path) -> str:
    """Path of a file that exists."""
    file = tmp_path / "file.pem"
    file.touch()
    return str(file)


def read(monkeypatch: pytest.MonkeyPatch, folder: Path, variables: dict[str, str]) -> Settings:
    """Return settings from these variables alone."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if name.startswith("TRAFFIC_")]:
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def test_every_kafka_client_gets_all_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, pem: str
) -> None:
    identity = {
        "TRAFFIC_KAFKA_SSL_CA_LOCATION": pem,
        "TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION": pem,
        "TRAFFIC_KAFKA_SSL_KEY_LOCATION": pem,
        "TRAFFIC_KAFKA_SSL_KEY_PASSWORD": "the key's",
    }
    database = {"TRAFFIC_DATABASE_URL": "postgresql://a:b@c/d"}
    settings = read(monkeypatch, tmp_path, {**SASL_SSL, **identity, **database})
    assert settings.kafka_config() == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "traffic",
        "sasl.password": SECRET,
        "ssl.ca.location": pem,
        "ssl.certificate.location": pem,
        "ssl.key.location": pem,
        "ssl.key.password": "the key's",
    }
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "the key's" not in repr(settings) + settings.model_dump_json()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {**SERVERS, "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SASL_SSL"},
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL is SASL_SSL: set TRAFFIC_KAFKA_SASL_MECHANISM,"
            " TRAFFIC_KAFKA_SASL_USERNAME, TRAFFIC_KAFKA_SASL_PASSWORD too.",
        ),
        (
            {**SASL_SSL, "TRAFFIC_KAFKA_SASL_PASSWORD": ""},
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL is SASL_SSL: set TRAFFIC_KAFKA_SASL_PASSWORD too.",
        ),
        (
            {**SERVERS, **LOGIN},
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL is PLAINTEXT, which does not use"
            " TRAFFIC_KAFKA_SASL_MECHANISM, TRAFFIC_KAFKA_SASL_USERNAME,"
            " TRAFFIC_KAFKA_SASL_PASSWORD: choose another protocol, or unset it.",
        ),
        (
            {
                **SASL_SSL,
                "TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
                "TRAFFIC_KAFKA_SSL_CA_LOCATION": "PEM",
            },
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT, which does not use"
            " TRAFFIC_KAFKA_SSL_CA_LOCATION: choose another protocol, or unset it.",
        ),
        (
            {**SASL_SSL, "TRAFFIC_KAFKA_SSL_KEY_LOCATION": "PEM"},
            "A certificate and its key belong together:"
            " set TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION too.",
        ),
        (
            {**SASL_SSL, "TRAFFIC_KAFKA_SSL_CERTIFICATE_LOCATION": "PEM"},
            "A certificate and its key belong together: set TRAFFIC_KAFKA_SSL_KEY_LOCATION too.",
        ),
        (
            {**SASL_SSL, "TRAFFIC_KAFKA_SSL_KEY_PASSWORD": SECRET},
            "TRAFFIC_KAFKA_SSL_KEY_PASSWORD is set without TRAFFIC_KAFKA_SSL_KEY_LOCATION.",
        ),
        (
            {"TRAFFIC_KAFKA_SECURITY_PROTOCOL": "SSL"},
            "TRAFFIC_KAFKA_SECURITY_PROTOCOL is SSL: set TRAFFIC_KAFKA_BOOTSTRAP_SERVERS too;"
            " the embedded Kafka is PLAINTEXT.",
        ),
    ],
)
def test_settings_that_do_not_fit_the_protocol_are_one_line_that_names_them(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    pem: str,
    variables: dict[str, str],
    sentence: str,
) -> None:
    there = {name: pem if value == "PEM" else value for name, value in variables.items()}
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, tmp_path, there)
    assert str(refused.value) == sentence


def test_an_unknown_mechanism_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, tmp_path, {**SASL_SSL, "TRAFFIC_KAFKA_SASL_MECHANISM": "GSSAPI"})
    line = str(refused.value)
    assert line.startswith("TRAFFIC_KAFKA_SASL_MECHANISM: ")
    for mechanism in ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"):
        assert f"'{mechanism}'" in line
    assert "\n" not in line


@pytest.mark.parametrize("which", ["CA", "CERTIFICATE", "KEY"])
def test_a_missing_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, which: str
) -> None:
    name, file = f"TRAFFIC_KAFKA_SSL_{which}_LOCATION", tmp_path / "missing.pem"
    with pytest.raises(SettingsError) as refused:
        read(monkeypatch, tmp_path, {**SASL_SSL, name: str(file)})
    line = str(refused.value)
    assert line.startswith(f"{name}: ")
    assert f"{file} cannot be read: No such file or directory" in line
    assert "\n" not in line
    assert SECRET not in line


def test_an_error_shows_no_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {**SERVERS, **LOGIN}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert SECRET not in str(refused.value)
