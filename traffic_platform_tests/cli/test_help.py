"""Help of every command: an imperative first line, and an example that parses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from traffic_platform.cli import build_app

VERBS = {
    "Create", "Import", "Ingest", "List", "Open", "Prove", "Publish", "Rebuild", "Reprocess",
    "Revoke", "Run", "Send", "Show", "Start", "Stop",
}  # fmt: skip


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


FOUND = dict(commands(typer.main.get_command(build_app())))


@pytest.mark.parametrize("path", FOUND, ids=" ".join)
def test_help_begins_with_a_verb_and_has_an_example(path: tuple[str, ...]) -> None:
    command = FOUND[path]
    lines = [line.strip() for line in command.help.splitlines()]
    assert lines[0].split()[0] in VERBS
    start = "Example: traffic "
    examples = [line.removeprefix(start) for line in lines if line.startswith(start)]
    assert examples
    for example in examples:
        words = shlex.split(example)
        if not command.hidden:
            assert words[: len(path)] == list(path)
            command.make_context("traffic", words[len(path) :])
