"""Apache Kafka's command-line tools, run from the jars of the local stack.

    python -m traffic_platform.stack.kafka_tool consumer-groups --describe --group backend-db-writer

runs `kafka-consumer-groups.sh`, with `--bootstrap-server` and the login from the settings.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from traffic_platform.settings import Settings, SettingsError, load_settings
from traffic_platform.stack.errors import StackError
from traffic_platform.stack.kafka import java_command, property_text
from traffic_platform.stack.kafka_jars import ensure_jars

_TOOLS = {
    "acls": "org.apache.kafka.tools.AclCommand",
    "console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "topics": "org.apache.kafka.tools.TopicCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
}


def tool_command(tool: str, arguments: Sequence[str]) -> list[str]:
    """Return the command line of a tool, named like its script without `kafka-` and `.sh`.

    Raises SettingsError when no broker is known, StackError for an unknown tool.
    """
    if tool not in _TOOLS:
        raise StackError(f"Unknown tool {tool!r}. Use one of {', '.join(_TOOLS)}.")
    broker = [] if "--bootstrap-server" in arguments else _broker_options(load_settings())
    ensure_jars()
    java, *rest = java_command(_TOOLS[tool], *broker, *arguments)
    # Standard output is for the tool, not for log lines and warnings of the JVM.
    quiet = [option for option in rest if not option.startswith("-Dlog4j2.configurationFile=")]
    return [java, "-Xlog:disable", "-Xlog:all=error:stderr", *quiet]


def _broker_options(settings: Settings) -> list[str]:
    servers = ["--bootstrap-server", settings.endpoints().kafka_bootstrap_servers]
    if settings.kafka_security_protocol == "PLAINTEXT":
        return servers
    return [*servers, "--command-config", _pipe_with(client_properties(settings))]


def client_properties(settings: Settings) -> str:
    """Return the properties with which a Java client logs in. They contain passwords."""
    config = settings.kafka_config()
    properties = {"security.protocol": config["security.protocol"]}
    if "sasl.mechanism" in config:
        module = "plain.Plain" if config["sasl.mechanism"] == "PLAIN" else "scram.Scram"
        user, password = (_quoted(config[f"sasl.{name}"]) for name in ("username", "password"))
        properties["sasl.mechanism"] = config["sasl.mechanism"]
        properties["sasl.jaas.config"] = (
            f"org.apache.kafka.common.security.{module}LoginModule required"
            f" username={user} password={password};"
        )
    if "ssl.ca.location" in config:
        properties["ssl.truststore.type"] = "PEM"
        properties["ssl.truststore.location"] = config["ssl.ca.location"]
    if "ssl.key.location" in config:
        properties["ssl.keystore.type"] = "PEM"
        properties["ssl.keystore.key"] = Path(config["ssl.key.location"]).read_text()
        chain = Path(config["ssl.certificate.location"]).read_text()
        properties["ssl.keystore.certificate.chain"] = chain
    if "ssl.key.password" in config:
        properties["ssl.key.password"] = config["ssl.key.password"]
    return "".join(f"{key}={property_text(value)}\n" for key, value in properties.items())


def _quoted(text: str) -> str:
    """Return a text as JAAS quotes it."""
    inside = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inside}"'


def _pipe_with(text: str) -> str:
    """Return a file name from which the next program reads `text`. Nothing is on disk."""
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    with open(writer, "wb") as pipe:
        pipe.write(text.encode("ascii"))
    return f"/dev/fd/{reader}"


def main() -> None:
    """Replace this process by the tool that the arguments name."""
    try:
        command = tool_command(sys.argv[1] if len(sys.argv) > 1 else "", sys.argv[2:])
    except (SettingsError, StackError) as error:
        sys.exit(str(error))
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
