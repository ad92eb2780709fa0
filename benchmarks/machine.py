"""Description of the machine that ran a benchmark."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from traffic_platform.stack.kafka_jars import KAFKA_VERSION

_PACKAGES = (
    "aiokafka",
    "asyncpg",
    "confluent-kafka",
    "dagster",
    "msgspec",
    "numpy",
    "psycopg",
    "sqlalchemy",
    "traffic-platform",
)


def describe_machine() -> dict[str, object]:
    """Return processor, memory, kernel and versions, but no name of the machine or its owner."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "filesystem": _filesystem(Path.cwd()),
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        **{name: installed for name in _PACKAGES if (installed := _version(name))},
    }


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _filesystem(folder: Path) -> str:
    """Return the type of the filesystem that holds `folder`; a commit is as slow as its disk."""
    mounts = [
        (part.mountpoint, part.fstype)
        for part in psutil.disk_partitions(all=True)
        if folder.is_relative_to(part.mountpoint)
    ]
    return max(mounts, key=lambda mount: len(mount[0]), default=("", "unknown"))[1]


def _version(package: str) -> str | None:
    """Return the version, or None where the package is not installed, as some are optional."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
