"""A stream of so many events a second, sent one by one by a process of its own."""

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
    """Event n is due n / `rate` seconds after the start, and that is its timestamp too.

    The moment it is due, not the one at which the process gets to it, is what latency counts from:
    a producer that is held up by the machine must not make the pipeline look faster.
    """

    bootstrap_servers: str
    topic: str
    rate: float
    seconds: float


@dataclass(frozen=True)
class Sent:
    """What the stream did. `started` is on the monotonic clock, which processes share."""

    events: int
    started: float
    first_timestamp: str
    late_p99_ms: float

    def due(self, timestamp: datetime, rate: float) -> float:
        """When the event with this timestamp was due, on the monotonic clock."""
        after = (timestamp - datetime.fromisoformat(self.first_timestamp)).total_seconds()
        return self.started + round(after * rate) / rate


class SteadyStream:
    """A context manager around the process; at its end the process has ended."""

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
        """Whether everything is sent and acknowledged."""
        assert self._process is not None
        return self._process.poll() is not None

    def sent(self) -> Sent:
        """What it did, once it has ended. Raises RuntimeError when it failed."""
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the steady stream failed; what it said is above")
        return Sent(**json.loads(line))


def main() -> None:
    """Send what the plan, the one argument, says."""
    plan = Plan(**json.loads(sys.argv[1]))
    producer = Producer({"bootstrap.servers": plan.bootstrap_servers, "log_level": 2})
    producer.list_topics(plan.topic, timeout=10)  # connected before the clock starts
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
        sys.exit("messages were not acknowledged in 30 s")
    sent = Sent(
        len(late), started, first.isoformat(), round(percentile(sorted(late), 0.99), 4) * 1e3
    )
    sys.stdout.write(json.dumps(asdict(sent)) + "\n")


if __name__ == "__main__":
    main()
