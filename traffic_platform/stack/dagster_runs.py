"""Runs of the stack's Dagster, launched and followed through GraphQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from traffic_platform.stack.dagster import LOCATION, ask
from traffic_platform.stack.errors import StackError

_ENDED: Final = frozenset({"SUCCESS", "FAILURE", "CANCELED"})

_LAUNCH = """
mutation launch($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
_CANCEL = """
mutation cancel($id: String!) { terminateRun(runId: $id) { __typename } }
"""
_SUCCESSOR = """
query successor($id: ID!, $parent: String!) {
  runOrError(runId: $id) { __typename ... on Run { tags { key value } } }
  runsOrError(filter: {tags: [{key: "dagster/parent_run_id", value: $parent}]}) {
    ... on Runs { results { runId } }
  }
}
"""
_WATCH = """
query watch($id: ID!, $after: String) {
  runOrError(runId: $id) { __typename ... on Run { status } }
  logsForRun(runId: $id, afterCursor: $after) {
    __typename
    ... on EventConnection {
      cursor
      hasMore
      events {
        __typename
        ... on MessageEvent { message stepKey }
        ... on MaterializationEvent {
          partition
          assetKey { path }
          metadataEntries {
            label
            ... on IntMetadataEntry { intRepr }
            ... on FloatMetadataEntry { floatValue }
          }
        }
      }
    }
  }
}
"""


@dataclass(frozen=True)
class Materialized:
    """A materialized date of a table, with the numbers of its metadata."""

    table: str
    date: str
    figures: dict[str, int | float]


@dataclass(frozen=True)
class Seen:
    """News of a run since the last call: its status, log messages and materializations."""

    status: str
    messages: list[str]
    materialized: list[Materialized]

    @property
    def ended(self) -> bool:
        """Whether the run has ended."""
        return self.status in _ENDED


class DagsterRun:
    """A launched run."""

    def __init__(self, url: str, run_id: str) -> None:
        self._url = url
        self._cursor: str | None = None
        self.run_id = run_id

    @property
    def page(self) -> str:
        """URL of the run's page in Dagster."""
        return f"{self._url}/runs/{self.run_id}"

    def look(self) -> Seen | None:
        """Return the news since the last call, None while the webserver does not answer."""
        answer = ask(self._url, _WATCH, {"id": self.run_id, "after": self._cursor})
        if answer is None or answer["runOrError"]["__typename"] != "Run":
            return None
        logs = answer["logsForRun"]
        if logs["__typename"] != "EventConnection":
            return None
        self._cursor = logs["cursor"]
        events: list[dict[str, Any]] = logs["events"]
        # The end is reported only after all events have been read.
        status = "STARTED" if logs["hasMore"] else str(answer["runOrError"]["status"])
        return Seen(
            status,
            [e["message"] for e in events if e["__typename"] == "LogMessageEvent"],
            [_materialized(e) for e in events if e["__typename"] == "MaterializationEvent"],
        )

    def successor(self) -> DagsterRun | None:
        """Return the run that continues this failed one, None if there is none yet."""
        answer = self._ask_for_successor()
        found = (answer or {}).get("runsOrError", {}).get("results") or []
        return DagsterRun(self._url, found[0]["runId"]) if found else None

    def will_continue(self) -> bool:
        """Return whether Dagster starts another run that continues this failed one."""
        answer = self._ask_for_successor()
        if answer is None:
            return True  # it does not answer now
        tags = {tag["key"]: tag["value"] for tag in answer["runOrError"].get("tags", ())}
        return tags.get("dagster/will_retry") == "true"

    def _ask_for_successor(self) -> dict[str, Any] | None:
        return ask(self._url, _SUCCESSOR, {"id": self.run_id, "parent": self.run_id})

    def cancel(self) -> None:
        """Ask the run to end. It finishes the current date."""
        ask(self._url, _CANCEL, {"id": self.run_id})


def launch(url: str, job: str, assets: Sequence[str], first: date, last: date) -> DagsterRun:
    """Launch a job with these of its assets, for the dates from `first` to `last`.

    Raises StackError when Dagster does not answer or rejects the run.
    """
    tags = {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }
    params = {
        "selector": {
            "repositoryLocationName": LOCATION,
            "repositoryName": "__repository__",
            "jobName": job,
            "assetSelection": [{"path": [name]} for name in assets],
            "assetCheckSelection": [],
        },
        "runConfigData": {},
        "executionMetadata": {
            "tags": [{"key": key, "value": value} for key, value in tags.items()]
        },
    }
    answer = ask(url, _LAUNCH, {"params": params})
    if answer is None:
        raise StackError(f"Dagster at {url} does not answer. Run `traffic status`.")
    result = answer["launchRun"]
    if result["__typename"] != "LaunchRunSuccess":
        reasons = [result, *result.get("errors", ())]
        message = next((reason["message"] for reason in reasons if "message" in reason), "")
        raise StackError(f"Dagster rejects the run: {result['__typename']} {message}".strip())
    return DagsterRun(url, result["run"]["runId"])


def _materialized(event: dict[str, Any]) -> Materialized:
    figures: dict[str, int | float] = {}
    for entry in event["metadataEntries"]:
        if entry.get("intRepr") is not None:
            figures[entry["label"]] = int(entry["intRepr"])
        elif entry.get("floatValue") is not None:
            figures[entry["label"]] = float(entry["floatValue"])
    return Materialized(event["assetKey"]["path"][-1], str(event["partition"]), figures)
