"""Runs Apache Kafka's own tools from the jars of the local stack, which has no shell scripts.

    python -m traffic_platform.stack.kafka_tool consumer-groups --describe --group backend-db-writer

is `kafka-consumer-groups.sh` with `--bootstrap-server` filled in from the settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from traffic_platform.settings import SettingsError, load_settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import java_command
from traffic_platform.stack.kafka_jars import ensure_jars

_TOOLS = {
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "topics": "org.apache.kafka.tools.TopicCommand",
}


def tool_command(tool: str, arguments: Sequence[str]) -> list[str]:
    """The command line of a tool, named as its script is, without `kafka-` and `.sh`.

    Raises SettingsError when no broker is known, StackError when there is no such tool.
    """
    if tool not in _TOOLS:
        raise StackError(f"No tool {tool!r}: say one of {', '.join(_TOOLS)}.")
    where: list[str] = []
    if "--bootstrap-server" not in arguments:
        where = ["--bootstrap-server", load_settings().endpoints().kafka_bootstrap_servers]
    ensure_jars()
    java, *rest = java_command(_TOOLS[tool], *where, *arguments)
    # Standard output is the tool's: no logging of the broker's kind, no warnings of the JVM.
    quiet = [word for word in rest if not word.startswith("-Dlog4j2.configurationFile=")]
    return [java, "-Xlog:disable", "-Xlog:all=error:stderr", *quiet]


def main() -> None:
    """Become the tool that the arguments name."""
    try:
        command = tool_command(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
    except (SettingsError, StackError) as error:
        sys.exit(str(error))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
