"""The ACLs that docs/kafka.md lists, read from its commands."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from confluent_kafka.admin import AclOperation, ResourceType

from traffic_platform.settings import Settings
from traffic_platform_tests.security.secured_kafka import PRINCIPAL, Acl

DOCUMENT = Path(__file__).parents[2] / "docs" / "kafka.md"
COMMAND = "kafka-acls $ADMIN --add "
OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}


def documented_commands(settings: Settings) -> dict[str, list[list[str]]]:
    """Return the arguments of each part's commands, with the names from these settings."""
    names = {
        "traffic-raw": settings.raw_topic,
        "traffic-events": settings.events_topic,
        "backend-db-writer": settings.consumer_group,
    }
    parts: dict[str, list[list[str]]] = {}
    part = ""
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("# "):
            part = line.removeprefix("# ")
        elif line.startswith(COMMAND):
            words = shlex.split(line.removeprefix(COMMAND))
            parts.setdefault(part, []).append([names.get(word, word) for word in words])
    return parts


def documented(settings: Settings, *parts: str) -> list[Acl]:
    """Return the ACLs of these parts."""
    commands = documented_commands(settings)
    return [right for part in parts for words in commands[part] for right in _rights(words)]


def _rights(words: list[str]) -> list[Acl]:
    parser = argparse.ArgumentParser()
    parser.add_argument("--allow-principal", required=True, choices=[PRINCIPAL])
    parser.add_argument("--operation", action="append", required=True, choices=OPERATIONS)
    parser.add_argument("--topic", action="append", default=[])
    parser.add_argument("--group", action="append", default=[])
    parser.add_argument("--transactional-id", action="append", default=[])
    parser.add_argument("--resource-pattern-type", default="literal")
    options = parser.parse_args(words)
    star = "*" if options.resource_pattern_type == "prefixed" else ""
    resources = (
        *((ResourceType.TOPIC, name) for name in options.topic),
        *((ResourceType.GROUP, name) for name in options.group),
        *((ResourceType.TRANSACTIONAL_ID, name) for name in options.transactional_id),
    )
    return [
        (kind, name + star, OPERATIONS[operation])
        for kind, name in resources
        for operation in options.operation
    ]
