"""Memory of every process of a running stack."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Any, Self

import psutil

from benchmarks.running_stack import Stack
from traffic_platform.stack.control import folders_of, living_state

_SAMPLE_SECONDS = 1.0


@dataclass(frozen=True)
class ProcessMemory:
    """A process and its memory in MB. PSS counts each shared page once, so it adds up."""

    name: str
    pid: int
    rss_mb: float
    pss_mb: float


def read_memory(stack: Stack) -> list[ProcessMemory]:
    """Return the memory of every process of the stack, named by service."""
    state = living_state(folders_of(stack.settings))
    assert state is not None, "the stack is not running"
    names = {state.pid: "supervisor"}
    names |= {service.pid: name for name, service in state.services.items() if service.pid}
    found: list[ProcessMemory] = []
    _walk(psutil.Process(state.pid), "supervisor", names, found)
    return found


def total(processes: list[ProcessMemory]) -> dict[str, float]:
    """Return sums over processes, in MB."""
    return {
        "rss_mb": round(sum(process.rss_mb for process in processes), 1),
        "pss_mb": round(sum(process.pss_mb for process in processes), 1),
    }


def by_name(processes: list[ProcessMemory]) -> dict[str, dict[str, float]]:
    """Return the number of processes of each name, and their memory in MB."""
    names = sorted({process.name for process in processes})
    groups = {name: [p for p in processes if p.name == name] for name in names}
    return {name: {"processes": len(group), **total(group)} for name, group in groups.items()}


class PeakMemory:
    """A context manager that samples the memory of every process each second."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._peaks: dict[int, ProcessMemory] = {}
        self._highest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="peak-memory")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def findings(self) -> dict[str, Any]:
        """Return the largest process of each name, and the largest sum in one sample (PSS)."""
        largest: dict[str, ProcessMemory] = {}
        for peak in self._peaks.values():
            if peak.name not in largest or peak.rss_mb > largest[peak.name].rss_mb:
                largest[peak.name] = peak
        return {
            "highest_sum_pss_mb": round(self._highest, 1),
            "largest_process": {
                name: {"rss_mb": peak.rss_mb, "pss_mb": peak.pss_mb}
                for name, peak in sorted(largest.items())
            },
        }

    def _run(self) -> None:
        while not self._stop.wait(_SAMPLE_SECONDS):
            processes = read_memory(self._stack)
            self._highest = max(self._highest, total(processes)["pss_mb"])
            for now in processes:
                before = self._peaks.get(now.pid, now)
                self._peaks[now.pid] = replace(
                    now,
                    rss_mb=max(now.rss_mb, before.rss_mb),
                    pss_mb=max(now.pss_mb, before.pss_mb),
                )


def _walk(
    process: psutil.Process, name: str, names: dict[int, str], found: list[ProcessMemory]
) -> None:
    """Add the process and its descendants to `found`. Children of a service have its name."""
    try:
        memory = process.memory_full_info()
        children = process.children()
        forks = "forkserver" in " ".join(process.cmdline())
    except psutil.Error:
        return  # it has just ended
    found.append(
        ProcessMemory(
            "warm process" if forks and name != "run" else name,
            process.pid,
            round(memory.rss / 1e6, 1),
            round(memory.pss / 1e6, 1),
        )
    )
    for child in children:
        # Each fork of the warm process is a Dagster run, of ingest or of another job.
        _walk(child, names.get(child.pid, "run" if forks else name), names, found)
