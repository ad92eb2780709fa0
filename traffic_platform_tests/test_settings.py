"""Settings: what is refused, in which words, and what counts as unset."""

from __future__ import annotations

import os

import pytest

from traffic_platform.settings import Settings, SettingsError, load_settings

SERVER = "postgresql://u:pw-7@h/traffic"


@pytest.fixture(autouse=True)
def _no_settings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRAFFIC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setitem(Settings.model_config, "env_file", None)


@pytest.mark.parametrize("name", ["", "INGEST_", "READ_", "DAGSTER_"])
def test_each_database_url_is_checked_and_the_error_holds_no_password(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_DATABASE_URL", SERVER)
    monkeypatch.setenv(f"TRAFFIC_{name}DATABASE_URL", "postgresql://u:pw-7@h")
    with pytest.raises(SettingsError, match=rf"^TRAFFIC_{name}DATABASE_URL: the name") as refused:
        load_settings()
    assert "pw-7" not in str(refused.value)
    with pytest.raises(ValueError, match=r"DATABASE_URL|database_url") as raw:
        Settings()
    assert "pw-7" not in str(raw.value)


@pytest.mark.parametrize("name", ["INGEST", "READ", "DAGSTER"])
def test_a_role_of_a_server_that_is_not_named_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRAFFIC_{name}_DATABASE_URL", SERVER)
    with pytest.raises(SettingsError, match=rf"^TRAFFIC_{name}_DATABASE_URL is set and") as refused:
        load_settings()
    assert "pw-7" not in str(refused.value)


def test_dagsters_database_is_beside_the_platforms(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAFFIC_DATABASE_URL", SERVER)
    monkeypatch.setenv("TRAFFIC_KAFKA_BOOTSTRAP_SERVERS", "k:9092")
    assert load_settings().endpoints().dagster_url == f"{SERVER}_dagster"


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOME", "NAIVE_TIMEZONE", "KAFKA_PORT"):
        monkeypatch.setenv(f"TRAFFIC_{name}", "")
    assert load_settings() == Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    assert load_settings().database_url is None
    assert load_settings().kafka_port == 9092


@pytest.mark.parametrize("name", ["POSTGRES", "KAFKA", "DAGSTER"])
@pytest.mark.parametrize("port", ["0", "-1", "65535", "70000"])
def test_a_first_port_without_room_for_the_search_is_refused(
    name: str, port: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRAFFIC_{name}_PORT", port)
    with pytest.raises(SettingsError, match=f"^TRAFFIC_{name}_PORT: "):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRUSTED_PROXIES", "*"),
        ("TRUSTED_PROXIES", "10.0.0.1, proxy"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://page.example/"),
        ("CORS_ORIGINS", "page.example"),
        ("ALLOWED_HOSTS", "*.example"),
        ("ALLOWED_HOSTS", "traffic.example:443"),
        ("KEY_REQUESTS_PER_MINUTE", "-1"),
        ("KEYS_REQUIRED", "never"),
    ],
)
def test_what_would_let_in_others_than_is_meant_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRAFFIC_API_{name}", value)
    with pytest.raises(SettingsError, match=f"^TRAFFIC_API_{name}: "):
        load_settings()


def test_days_of_retention_default_to_a_month_three_and_for_ever() -> None:
    settings = load_settings()
    assert (settings.raw_days, settings.processed_days) == (30, 90)
    assert (settings.readings_days, settings.archive) == (None, None)


@pytest.mark.parametrize(("readings", "processed"), [("30", "90"), ("30", "0")])
def test_readings_that_would_go_before_their_events_are_refused(
    readings: str, processed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_READINGS_DAYS", readings)
    monkeypatch.setenv("TRAFFIC_PROCESSED_DAYS", processed)
    with pytest.raises(SettingsError, match=r"^TRAFFIC_READINGS_DAYS must be at least"):
        load_settings()
