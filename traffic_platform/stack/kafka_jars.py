"""The jars of Apache Kafka: exactly those of the committed lock file, each checked by its hash.

`kafka.lock.toml` is written by jgo (`make lock` runs this module with the argument `lock`) and
names every artifact with its version and SHA-256, no host. Starting the stack resolves nothing:
jgo fetches the named files alone, which takes seconds where a resolution reads hundreds of POMs.
The jars live in the user's cache, so that all stacks of a user share them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from traffic_platform.stack.errors import StackError

KAFKA_VERSION = "4.3.1"
LOCK_FILE = Path(__file__).with_name("kafka.lock.toml")

# "!": do not let the artifact's own dependency management decide over Kafka's versions.
_COORDINATES = [
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!",
    f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}!",
]
# What kafka-tools needs for Kafka Connect only.
_EXCLUSIONS = [
    "org.apache.kafka:connect-api",
    "org.apache.kafka:connect-json",
    "org.apache.kafka:connect-runtime",
    "org.apache.kafka:connect-transforms",
    "com.fasterxml.jackson.jakarta.rs:jackson-jakarta-rs-json-provider",
]
_DOWNLOADS_AT_A_TIME = 8


@dataclass(frozen=True)
class Jar:
    """One artifact of the lock file. `sha256` is in hex."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.artifact}-{self.version}.jar"


def locked_jars(lock: Path = LOCK_FILE) -> list[Jar]:
    """Every jar of the lock file, in the order of the class path."""
    entries = tomllib.loads(lock.read_text())["dependencies"]
    return [
        Jar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"])
        for entry in entries
    ]


def cache_folder() -> Path:
    """Where the jars of all stacks of this user are."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "traffic-platform" / f"kafka-{KAFKA_VERSION}"


def class_path() -> list[Path]:
    """The jars of the lock file, which `ensure_jars` has put where they are."""
    return [cache_folder() / jar.name for jar in locked_jars()]


def startup_cache(java_version: str) -> Path:
    """Classes of the jars as this JVM has loaded them before: it halves the broker's start."""
    return cache_folder() / f"startup-{java_version}.aot"


def ensure_jars(folder: Path | None = None) -> None:
    """Fetch the jars that are missing, and check every one.

    Raises StackError when one cannot be fetched, has another hash, or is not in the lock file.
    """
    folder = folder or cache_folder()
    jars = locked_jars()
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
                f"{folder / min(unknown)} is not in Kafka's lock file: remove it, then start again."
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
            f"{path} has SHA-256 {actual}, Kafka's lock file says {jar.sha256}:"
            " it was altered or damaged; remove it, then start again."
        )


def _fetch(jars: list[Jar], folder: Path) -> None:
    """Copy from the local Maven repository, else download; only verified files reach `folder`."""
    import requests  # noqa: PLC0415  (an extra)
    from jgo.constants import default_maven_repo  # noqa: PLC0415  (an extra)
    from jgo.maven import MavenContext  # noqa: PLC0415  (an extra)

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as temporary:
        maven = MavenContext(
            repo_cache=Path(temporary), local_repos=[default_maven_repo()], timeout=30
        )

        def fetch(jar: Jar) -> None:
            component = maven.project(jar.group, jar.artifact).at_version(jar.version)
            source = component.artifact().resolve()
            _verify(source, jar)
            new = Path(temporary) / jar.name
            new.write_bytes(source.read_bytes())
            new.replace(folder / jar.name)

        with ThreadPoolExecutor(_DOWNLOADS_AT_A_TIME) as pool:
            try:
                list(pool.map(fetch, jars))
            except (requests.RequestException, RuntimeError) as error:
                pool.shutdown(cancel_futures=True)
                raise StackError(f"Kafka's jars cannot be downloaded: {error}") from error


def _write_lock() -> None:
    """Resolve Kafka anew and write the lock file. For whoever changes the version."""
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
