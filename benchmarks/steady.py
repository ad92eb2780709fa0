"""A stream with a fixed rate, which a separate process sends event by event."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from confluent_kafka import Producer

from benchmarks.report import percentile
from benchmarks.stream import SENSORS, event


@dataclass(frozen=True)
class Plan:
    """A schedule: event n is due n / `rate` seconds after the start, which is also its timestamp.

    Latency counts from the time at which an event is due, not from the time at which it is sent.
    Otherwise a producer that the machine delays would make the pipeline look faster.
    """

    bootstrap_servers: str
    topic: str
    rate: float
    seconds: float


@dataclass(frozen=True)
class Sent:
    """Results of the stream. `started` is on the monotonic clock, which processes share."""

    events: int
    started: float
    first_timestamp: str
    late_p99_ms: float

    def due(self, timestamp: datetime, rate: float) -> float:
        """Return the time at which the event was due, on the monotonic clock."""
        after = (timestamp - datetime.fromisoformat(self.first_timestamp)).total_seconds()
        return self.started + round(after * rate) / rate


class SteadyStream:
    """A context manager that starts the process, and ends it if it still runs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.steady", json.dumps(asdict(self._plan))],
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    @property
    def ended(self) -> bool:
        """True when the process has ended, so every event is acknowledged or it failed."""
        assert self._process is not None
        return self._process.poll() is not None

    def sent(self) -> Sent:
        """Wait for the end and return the results. Raises RuntimeError when the process failed."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The steady stream failed. Its error is above.")
        return Sent(**json.loads(line))


def main() -> None:
    """Send the events of the plan, which is the only argument, as JSON."""
    plan = Plan(**json.loads(sys.argv[1]))
    producer = Producer({"bootstrap.servers": plan.bootstrap_servers, "log_level": 2})
    producer.list_topics(plan.topic, timeout=10)  # connects before the clock starts
    first, started = datetime.now(UTC), time.monotonic()
    late: list[float] = []
    for number in range(int(plan.rate * plan.seconds)):
        due = number / plan.rate
        wait = started + due - time.monotonic()
        late.append(max(0.0, -wait))
        if wait > 0:
            time.sleep(wait)
        sensor = f"steady-{number % SENSORS:04d}"
        timestamp = (first + timedelta(seconds=due)).isoformat(timespec="microseconds")
        value = event(sensor, timestamp, 40 + number % 30, 1000 + number % 1000, 5 + number % 10)
        producer.produce(plan.topic, value, sensor.encode())
        producer.poll(0)
    if producer.flush(30):
        sys.exit("Kafka did not acknowledge every message in 30 s.")
    sent = Sent(
        len(late), started, first.isoformat(), round(percentile(sorted(late), 0.99), 4) * 1e3
    )
    sys.stdout.write(json.dumps(asdict(sent)) + "\n")


if __name__ == "__main__":
    main()
