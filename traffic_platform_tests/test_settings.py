"""Settings: rejected values and their messages, empty values, replaced names, and the reference."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from traffic_platform.settings import Settings, SettingsError, load_settings
from traffic_platform.settings.reference import settings_page

SERVER = "postgresql://u:pw-7@h/traffic"


@pytest.fixture(autouse=True)
def _without_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_url_of_a_role_without_the_url_of_the_owner_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRAFFIC_{name}_DATABASE_URL", SERVER)
    with pytest.raises(SettingsError, match=rf"^TRAFFIC_{name}_DATABASE_URL is set and") as refused:
        load_settings()
    assert "pw-7" not in str(refused.value)


def test_dagsters_database_is_beside_that_of_the_platform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAFFIC_DATABASE_URL", SERVER)
    monkeypatch.setenv("TRAFFIC_KAFKA_BOOTSTRAP_SERVERS", "k:9092")
    assert load_settings().endpoints().dagster_url == f"{SERVER}_dagster"


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOME", "NAIVE_TIMEZONE", "KAFKA_PORT"):
        monkeypatch.setenv(f"TRAFFIC_{name}", "")
    assert load_settings() == Settings(_env_file=None)  # pyright: ignore[reportCallIssue]
    assert load_settings().database_url is None
    assert load_settings().kafka_port == 9092


@pytest.mark.parametrize("name", ["POSTGRES", "KAFKA", "DAGSTER"])
@pytest.mark.parametrize("port", ["0", "-1", "65535", "70000"])
def test_a_first_port_without_ports_for_the_search_is_refused(
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
def test_a_value_that_would_admit_unintended_clients_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRAFFIC_API_{name}", value)
    with pytest.raises(SettingsError, match=f"^TRAFFIC_API_{name}: "):
        load_settings()


def test_raw_stays_a_month_events_three_months_and_readings_for_ever_by_default() -> None:
    settings = load_settings()
    assert (settings.raw_days, settings.processed_days) == (30, 90)
    assert (settings.readings_days, settings.archive) == (None, None)


@pytest.mark.parametrize(("readings", "processed"), [("30", "90"), ("30", "0")])
def test_readings_must_not_be_dropped_before_their_events(
    readings: str, processed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAFFIC_READINGS_DAYS", readings)
    monkeypatch.setenv("TRAFFIC_PROCESSED_DAYS", processed)
    with pytest.raises(SettingsError, match=r"^TRAFFIC_READINGS_DAYS must be at least"):
        load_settings()


@pytest.mark.parametrize(
    ("former", "current"),
    [
        ("TRAFFIC_WINDOW_SECONDS", "TRAFFIC_INGEST_RUN_SECONDS"),
        ("TRAFFIC_WINDOW_IDLE_SECONDS", "TRAFFIC_INGEST_RUN_IDLE_SECONDS"),
    ],
)
@pytest.mark.parametrize("source", ["environment", ".env"])
def test_a_replaced_setting_is_refused_with_the_name_of_the_new_one(
    former: str, current: str, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "environment":
        monkeypatch.setenv(former, "60")
    else:
        monkeypatch.setitem(Settings.model_config, "env_file", str(tmp_path / ".env"))
        (tmp_path / ".env").write_text(f"{former}=60\n")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value) == f"{former} was replaced. Set {current} instead."


def test_the_page_of_settings_is_up_to_date() -> None:
    page = Path(__file__).parents[1] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_page()
