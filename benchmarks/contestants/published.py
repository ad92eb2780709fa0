"""The platform's ingest run beside a publisher, whose messages it reads from the clean stream.

Writer 0 is the ingest run of module `ingest_run`, but drains the clean stream too and skips our
own messages. Writer 1 publishes, and its commits do not count.
"""

from __future__ import annotations

from confluent_kafka.admin import AdminClient

from benchmarks.contestants import Committed, Task, take_part
from benchmarks.contestants.ingest_run import settings_of
from benchmarks.stream import make_topic
from traffic_platform.ingest.drain import run_ingest
from traffic_platform.ingest.totals import IngestTotals
from traffic_platform.publish.publisher import PublishTotals, run_publisher
from traffic_platform.run_clock import RunLimits
from traffic_platform.settings import Settings

LIMITS = RunLimits(seconds=3600, idle_seconds=60, until_caught_up=True)
UNTIL_STOPPED = RunLimits(seconds=3600, idle_seconds=60)


def _settings(task: Task) -> Settings:
    return settings_of(task).model_copy(update={"events_topic": f"{task.topic}-clean"})


def prepare(task: Task) -> None:
    """Create an empty topic for the clean stream."""
    if task.writer != 0:
        return
    settings = _settings(task)
    admin = AdminClient({"bootstrap.servers": task.bootstrap_servers, "log_level": 2})
    if settings.events_topic in admin.list_topics(timeout=10).topics:
        admin.delete_topics([settings.events_topic])[settings.events_topic].result(timeout=30)
        while settings.events_topic in admin.list_topics(timeout=10).topics:
            pass
    make_topic(task.bootstrap_servers, settings.events_topic)


def drain(task: Task, committed: Committed) -> None:
    """Ingest every event, or publish every event."""
    if task.writer == 0:
        _store(task, committed)
    else:
        _publish(task)


def _store(task: Task, committed: Committed) -> None:
    settings = _settings(task)

    def report(totals: IngestTotals) -> None:
        if totals.raw:
            committed(totals.raw)

    run_ingest(
        settings,
        settings.ingest_topics,
        limits=LIMITS,
        run_id=None,
        stop=lambda: False,
        report=report,
        report_seconds=0,
    )


def _publish(task: Task) -> None:
    published = PublishTotals()

    def report(totals: PublishTotals) -> None:
        published.events += totals.events

    run_publisher(
        _settings(task),
        limits=UNTIL_STOPPED,
        run_id=None,
        stop=lambda: published.events >= task.events,
        report=report,
        report_seconds=0,
    )


if __name__ == "__main__":
    take_part(prepare, drain)
