"""The dashboard in a real browser, over a real database."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from traffic_platform.events.sensor_ids import sensor_uuid
from traffic_platform.sensors.sensor_import import store_sensors
from traffic_platform.settings import Settings
from traffic_platform_tests.browser import world
from traffic_platform_tests.browser.chromium import Witness
from traffic_platform_tests.browser.conftest import settings_of
from traffic_platform_tests.browser.served import served
from traffic_platform_tests.browser.world import (
    HARM,
    HARMFUL_BYTES,
    describe,
    event,
    make_topics,
    send,
    store,
)
from traffic_platform_tests.conftest import KafkaServer, PostgresServer

Open = Callable[..., Page]
YESTERDAY = world.a_day_ago().isoformat()
CORRIDOR = f"/corridor?road=Synthetic+demo+1&direction=SOUTH&date={YESTERDAY}"
SENSOR = f"/sensor/{sensor_uuid('synthetic-demo-1S04-1')}?date={YESTERDAY}"
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="
)
CONNECTED = "window.socket?.connected === true"
# Path, heading, and a selector of the content that must be drawn.
VIEWS = {
    "now": ("/", "Traffic now", ".sensor-map[data-sensors] canvas"),
    "corridor": (CORRIDOR, "Speed contour", ".chart[data-drawn=contour] canvas"),
    "sensor": (SENSOR, "Synthetic station 4, SB, lane 1", ".chart[data-drawn=scatter] canvas"),
    "find": ("/sensor", "Find a sensor", "table.list"),
    "day": (f"/day?date={YESTERDAY}", YESTERDAY, "a[href$='.parquet']"),
    "detectors": ("/detectors", "Detector health", "[aria-label=Now] table.list"),
    "quarantine": ("/quarantine", "Quarantine", "pre.bytes"),
}


def test_live_values_change_without_a_reload(open_page: Open, page_settings: Settings) -> None:
    page = open_page("/")
    expect(page.locator("#feed")).to_be_visible()
    page.evaluate("window.sameDocument = true")
    lines = page.locator(".sensor-map.lines[data-sensors]")
    lines.wait_for()
    marked = int(lines.get_attribute("data-marked") or 0)
    send(page_settings, [event("live-2", 12.3)])
    store(page_settings)
    expect(page.locator("#feed tbody tr").first).to_contain_text("Bridge, lane 2")
    expect(page.locator("#feed tbody tr").first).to_contain_text("12.3")
    slowest = page.get_by_role("region", name="Slowest now").or_(
        page.locator("[aria-label='Slowest now']")
    )
    expect(slowest.first).to_contain_text("Bridge, lane 2")
    expect(slowest.first).to_contain_text("22 %")
    page.wait_for_function(
        "before => Number(document.querySelector('.sensor-map.lines').dataset.marked) > before",
        arg=marked,
    )
    assert page.evaluate("window.sameDocument") is True


def test_a_running_day_redraws_and_keeps_zoom_and_focus(
    open_page: Open, page_settings: Settings
) -> None:
    page = open_page(f"/sensor/{sensor_uuid('live-1')}")
    page.locator(".chart[data-drawn=series] canvas").wait_for()
    page.evaluate("window.sameDocument = true")
    field = page.get_by_label("Date (America/Los_Angeles)")
    field.focus()
    chart = "echarts.getInstanceByDom(document.querySelector('.chart[data-drawn=series]'))"
    page.evaluate(f"import('nicegui-echart').then(({{ echarts }}) => {{ const chart = {chart};"
                  " chart.dispatchAction({ type: 'dataZoom', start: 20, end: 30 });"
                  " window.seen = () => chart.getOption(); })")  # fmt: skip
    before = page.evaluate("window.seen().series[0].data.length")
    send(page_settings, [event("live-1", 47.1)])
    store(page_settings)
    page.wait_for_function("before => window.seen().series[0].data.length > before", arg=before)
    zoom = page.evaluate("window.seen().dataZoom[0]")
    assert (zoom["start"], zoom["end"]) == (20, 30)
    expect(field).to_be_focused()
    assert page.evaluate("window.sameDocument") is True


def test_a_new_rejected_message_appears_without_a_reload(
    open_page: Open, page_settings: Settings
) -> None:
    page = open_page("/quarantine?reason=malformed_json")
    messages = page.locator("td pre.bytes")
    before = messages.count()
    send(page_settings, [b"no event at all"])
    store(page_settings)
    expect(messages.first).to_contain_text("no event at all", timeout=15_000)
    assert messages.count() == before + 1
    expect(page.get_by_text("traffic quarantine reprocess --reason malformed_json")).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_every_view_draws_and_fits(open_page: Open, view: str, width: int, scheme: str) -> None:
    path, heading, drawn = VIEWS[view]
    page = open_page(path, width, scheme)
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    page.locator(drawn).first.wait_for()
    expect(page.get_by_text("Times in America/Los_Angeles", exact=True)).to_be_visible()
    wide, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= inner


@pytest.mark.parametrize("path", ["/", "/quarantine", "/sensor", f"/sensor/{sensor_uuid(HARM)}"])
def test_hostile_text_stays_text(open_page: Open, path: str) -> None:
    page = open_page(path)
    text = "<script>window.harmed=2</script>\\x00" if path == "/quarantine" else HARM
    expect(page.get_by_text(text).first).to_be_visible()
    if path == "/":
        page.locator(".sensor-map.lines[data-sensors]").wait_for()
    assert page.evaluate("window.harmed") is None
    assert page.locator("img[src=x]").count() == 0


def test_hostile_text_in_an_address_stays_text(open_page: Open) -> None:
    page = open_page("/corridor?road=%3Cscript%3Ewindow.harmed=4%3C/script%3E")
    expect(page.get_by_role("heading", level=1)).to_have_text("Speed contour")
    page = open_page("/quarantine?reason=x%22%20onclick=%22window.harmed=5%22%20%3Cb%3E")
    expect(page.get_by_text("No rejected messages with this reason.")).to_be_visible()
    expect(page.get_by_text("traffic quarantine reprocess --dry-run")).to_be_visible()
    assert page.locator("[onclick]").count() == 0
    assert page.evaluate("window.harmed") is None


def test_the_browser_keeps_the_chosen_theme(open_page: Open) -> None:
    page = open_page("/day")
    switch = page.locator("[data-theme-switch]")
    expect(switch).to_have_text("Theme: system")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    switch.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(switch).to_have_text("Theme: dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.reload()
    expect(switch).to_have_text("Theme: dark")


def test_a_day_links_to_its_files_and_its_speed_contour(open_page: Open) -> None:
    page = open_page(f"/day?date={YESTERDAY}")
    expect(page.get_by_role("link", name="CSV")).to_have_attribute(
        "href", f"/api/traffic/export/{YESTERDAY}.csv"
    )
    page.get_by_role("link", name="Synthetic demo 1 SOUTH").click()
    page.wait_for_url("**/corridor?*")
    page.locator(".chart[data-drawn=contour]").wait_for()
    expect(page.get_by_text("Slowest:")).to_be_visible()
    expect(page.get_by_role("heading", name="Places")).to_be_visible()
    page.get_by_label("Choose a date. Days with data are marked.").click()
    expect(page.locator(".q-date__event").first).to_be_attached()


def test_a_day_without_data_and_an_invalid_date_show_a_message(open_page: Open) -> None:
    page = open_page("/day?date=2012-02-29")
    expect(page.get_by_text("No readings on 2012-02-29. The newest day")).to_be_visible()
    expect(page.get_by_text("2012-02-29 has no diagnosis")).to_be_visible()
    page = open_page("/detectors?date=2012-02-29")
    expect(page.get_by_text("2012-02-29 has no diagnosis")).to_be_visible()
    for path in ("/day", "/detectors", "/corridor", f"/sensor/{sensor_uuid('live-1')}"):
        page = open_page(f"{path}?date=2025-99-04%3Cb%3E")
        expect(page.get_by_role("alert")).to_contain_text("Invalid date 2025-99-04<b>.")
        page.get_by_role("link", name="Newest day with data").click()
        expect(page.get_by_label("Choose a date. Days with data are marked.")).to_be_visible()
    page = open_page(f"/sensor/{sensor_uuid('live-1')}?date=2012-02-29")
    expect(page.get_by_text("Its newest reading is from")).to_be_visible()
    page = open_page(f"/sensor/{sensor_uuid('nobody')}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Unknown sensor")


def test_a_sensor_is_found_by_keyboard(open_page: Open) -> None:
    page = open_page("/sensor")
    page.get_by_label("Search").focus()
    page.keyboard.type("bridge")
    expect(page.locator("table.list tbody tr")).to_have_count(2)
    page.locator("table.list a").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bridge")


def test_health_shows_the_observation(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("button", name="Health").click()
    expect(page.get_by_text("not expected to report")).to_be_visible()
    expect(page.locator("[aria-label='Detectors to check']")).to_contain_text("No reading yet")
    expect(page.locator("[aria-label='Detectors to check']")).to_contain_text("are the same")


def test_a_mark_has_a_tooltip_and_opens_its_sensor(open_page: Open) -> None:
    page = open_page("/")
    lines = page.locator(".sensor-map.lines[data-sensors]")
    lines.scroll_into_view_if_needed()
    line = lines.locator(".road-name", has_text="OR-99").bounding_box()
    assert line is not None
    # The first lane of the road's first place lies below the beginning of its line.
    page.mouse.move(line["x"], line["y"] + 11)
    tip = page.locator(".sensor-tip")
    expect(tip).to_contain_text("Bridge, lane 1")
    expect(tip).to_contain_text("veh/h")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url("**/sensor/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bridge, lane 1")


def test_tiles_come_only_from_the_configured_server(
    browser: Browser, page_settings: Settings, tmp_path: Path
) -> None:
    tiles = "http://tiles.test/{z}/{x}/{y}.png"
    requested: list[str] = []

    def answer(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(body=PIXEL, content_type="image/png")

    with served(page_settings, tmp_path, TRAFFIC_MAP_TILES=tiles) as url:
        page = browser.new_page()
        page.route("http://tiles.test/**", answer)
        witness = Witness(page, url)
        page.goto(url)
        page.locator(".leaflet-tile-loaded").first.wait_for()
        page.context.close()
    assert witness.errors == []
    assert requested
    assert set(witness.foreign) == set(requested)


def test_a_diagnosis_shows_the_parts_to_check(open_page: Open) -> None:
    page = open_page("/detectors")
    row = page.get_by_role("row").filter(has_text="constant")
    expect(row).to_contain_text("Toll plaza")
    expect(row).to_contain_text("Check:")


def test_times_are_in_the_time_zone_of_the_platform(open_page: Open) -> None:
    page = open_page("/")
    hour = datetime.now(ZoneInfo(world.ZONE)).strftime("%H")
    before = (datetime.now(ZoneInfo(world.ZONE)) - timedelta(hours=1)).strftime("%H")
    shown = page.locator(".figures dd").first.inner_text()
    assert shown[:2] in (hour, before)


def test_all_bytes_of_a_rejected_message_are_shown(open_page: Open) -> None:
    page = open_page("/quarantine")
    expect(page.get_by_text(f"{len(HARMFUL_BYTES)} bytes").first).to_be_visible()
    expect(page.get_by_text("\\xff${window.harmed=3}").first).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        *(
            f"{view}?date={day}"
            for view in ("/day", "/corridor")
            for day in ("0001-01-01", "9999-12-31")
        ),
        f"/sensor/{sensor_uuid('live-1')}?date=9999-12-31",
        "/sensor?q=%00",
        "/quarantine?reason=%00",
        "/corridor?road=%00&direction=%00",
    ],
)
def test_an_address_with_invalid_values_is_a_page(page_url: str, path: str) -> None:
    assert httpx.get(page_url + path, timeout=20).status_code == 200


def cancel_first_waiting_query(postgres: PostgresServer) -> None:
    """Cancel the first query that waits for a lock, as statement_timeout would."""
    query = (
        "select pg_cancel_backend(pid) from pg_stat_activity"
        " where wait_event_type = 'Lock' and application_name like 'traffic-api%'"
    )
    with postgres.superuser() as connection:
        while not connection.execute(query).fetchall():
            pass


def test_a_button_repeats_a_query_that_was_too_slow(
    open_page: Open, page_settings: Settings, postgres: PostgresServer
) -> None:
    with (
        psycopg.connect(page_settings.endpoints().owner_url) as owner,
        ThreadPoolExecutor() as threads,
    ):
        owner.execute("lock table traffic.readings_daily in access exclusive mode")
        threads.submit(cancel_first_waiting_query, postgres)
        page = open_page("/day")
        expect(page.get_by_role("alert")).to_contain_text("took too long")
        page.wait_for_function(CONNECTED)
        page.evaluate("window.sameDocument = true")
        expect(open_page("/").locator("#feed")).to_be_visible()  # the reader still works
        assert page.evaluate("window.sameDocument") is True
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", name="Roads")).to_be_visible()


def test_a_page_that_is_open_before_the_first_sensor_shows_it(
    browser: Browser, postgres: PostgresServer, kafka: KafkaServer, tmp_path: Path
) -> None:
    settings = settings_of(postgres, kafka, "browser_first_sensor", tmp_path)
    make_topics(settings)
    with served(settings, tmp_path) as url:
        page = browser.new_page()
        witness = Witness(page, url)
        page.goto(url)
        expect(page.get_by_text("No sensors yet.")).to_be_visible()
        page.wait_for_function(CONNECTED)
        page.evaluate("window.sameDocument = true")
        store_sensors(settings, [describe("b", road="A", direction="NORTH", milepost=2.0)])
        old = event("b", 20.0).replace(
            b'"timestamp": "', b'"timestamp": "2011-09-16T03:00:00Z", "": "'
        )
        send(settings, [old])
        store(settings)
        expect(page.locator(".sensor-map.lines[data-sensors='1']")).to_be_visible()
        history = page.get_by_role("status").filter(
            has_text="The newest reading is from 2011-09-15"
        )
        for name, path in (
            ("that day", "/day?date=2011-09-15"),
            ("its speed contour", "/corridor?date=2011-09-15"),
        ):
            expect(history.get_by_role("link", name=name)).to_have_attribute("href", path)
        expect(page.get_by_text("No reading since 2011-09-15.")).to_be_visible(timeout=30_000)
        # A new sensor earlier on the road changes the index of the first one.
        store_sensors(settings, [describe("a", road="A", direction="NORTH", milepost=1.0)])
        send(settings, [event("a", 20.0), event("b", 21.0)])
        store(settings)
        expect(page.locator(".sensor-map.lines[data-sensors='2']")).to_be_visible()
        expect(history).to_have_count(0)
        assert page.evaluate("window.sameDocument") is True
        page.context.close()
    assert witness.errors == []
