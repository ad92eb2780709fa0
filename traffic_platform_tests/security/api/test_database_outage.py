"""Keys during a database outage: requests get 503, never 401."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx

from traffic_platform.api.security.secret import new_key
from traffic_platform_tests.conftest import PostgresServer
from traffic_platform_tests.security.api.conftest import Serve, wait_for


def expect_outage(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) > 0
    assert "www-authenticate" not in answer.headers
    assert "The database does not answer" in answer.json()["detail"]


def test_a_key_in_use_is_never_rejected_as_invalid_and_works_again_after_the_outage(
    serve: Serve, postgres: PostgresServer
) -> None:
    server = serve("127.0.0.1", TRAFFIC_API_KEYS_REQUIRED="always")
    _, key = server.key()
    asked, needs_no_rows, needs_rows = server.client(key), "/openapi.json", "/api/sensors"
    assert [asked.get(path).status_code for path in (needs_no_rows, needs_rows)] == [200, 200]
    with asked.stream("GET", "/test/events") as events:
        event = events.iter_text()
        assert next(event) == "data: 1\n\n"
        postgres.process.stop()
        try:
            found = [asked.get(needs_no_rows)]
            while found[-1].status_code == 200:  # the cached key is valid for seconds
                found.append(asked.get(needs_no_rows))
            expect_outage(found[-1])
            assert server.client("no key at all").get(needs_no_rows).status_code == 401
            assert server.client().get("/health/live").status_code == 200
            others = ((key, needs_rows), (new_key(), needs_no_rows), (None, "/health/ready"))
            with ThreadPoolExecutor() as pool:  # each request waits for seconds
                for answer in pool.map(lambda each: server.client(each[0]).get(each[1]), others):
                    expect_outage(answer)
        finally:
            postgres.process.start()
        wait_for(lambda: asked.get(needs_no_rows).status_code == 200)
        wait_for(lambda: asked.get(needs_rows).status_code == 200)
        # The key's stream stayed open, and ends with the server.
        server.process.terminate()
        assert list(event) == []
