"""`traffic logs`: show the logs of the local stack."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from traffic_platform.cli.console import load_settings

_ASK_AGAIN_SECONDS = 0.2


def logs(
    service: Annotated[
        str | None, typer.Argument(help="Name of a service, such as kafka. Default: all.")
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Also show new lines, until ctrl-C.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="Lines of each log.")] = 50,
) -> None:
    """Show the newest lines of the local stack's logs.

    Without a service, each line begins with the name of its service. The logs are in
    TRAFFIC_HOME/logs, also after the end of the stack.

    Example: traffic logs kafka --follow
    """
    from traffic_platform.errors import PermanentError
    from traffic_platform.stack.find import find_stack

    folder = find_stack(load_settings()).settings.logs
    files = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if not files:
        raise PermanentError(f"No logs in {folder}. `traffic up` starts a stack.")
    if service is not None and service not in files:
        raise typer.BadParameter(f"Unknown service {service!r}. Use {', '.join(files)}.")
    width = max(map(len, files))
    tails = [
        _Tail(file, f"{name:<{width}} | " if service is None else "")
        for name, file in files.items()
        if service in (None, name)
    ]
    for tail in tails:
        tail.show(last=lines)
    while follow:
        time.sleep(_ASK_AGAIN_SECONDS)
        for tail in tails:
            tail.show()


class _Tail:
    """End of a log. A line without its end is still being written."""

    def __init__(self, file: Path, prefix: str) -> None:
        self._file = file
        self._prefix = prefix
        self._offset = 0  # bytes

    def show(self, last: int | None = None) -> None:
        """Print the complete lines since the last call, or only the `last` of them."""
        if self._file.stat().st_size < self._offset:
            self._offset = 0  # the supervisor has emptied a large log
        with self._file.open("rb") as stream:
            stream.seek(self._offset)
            complete = deque[bytes](maxlen=last)
            for line in stream:
                if line.endswith(b"\n"):
                    self._offset += len(line)
                    complete.append(line)
        for line in complete:
            sys.stdout.write(self._prefix + line.decode("utf-8", "backslashreplace"))
        sys.stdout.flush()
