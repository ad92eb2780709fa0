"""Statements longer than a line, by name. Each is a file in `sql/`."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

from traffic_platform.events.measures import MEASURES

_PACKAGE = Path(__file__).parent
_PART = re.compile(r"^--\| (\S+)\n", re.MULTILINE)
_MEASURES = re.compile(r"^( *)--\| measures(?:\[(.+?)\])? (.+)\n", re.MULTILINE)


def sql_folder() -> Path:
    """Return the folder of SQL files: in the installed wheel, or beside the package."""
    installed = _PACKAGE / "_sql"
    return installed if installed.is_dir() else _PACKAGE.parent / "sql"


@cache
def statement(name: str) -> LiteralString:
    """Return the text of `sql/NAME.sql`; `name` is a path without its ending: "ledger/unlock".

    Two kinds of comment lines are replaced. `--| NAME` stands for the text of that file, which
    several statements share. `--| measures TEXT` stands for TEXT once for each measure, a line
    each; `--| measures[SEPARATOR] TEXT` puts the separator between the lines. In TEXT, {m} is the
    measure's name, {type} its column type, {send} the function that makes bytes of it, and {bit}
    its bit in a mask of nulls.

    The files ship with the code and hold no input of users, hence LiteralString.
    Raises FileNotFoundError when there is no such statement.
    """
    text = (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")
    text = _MEASURES.sub(_repeat, text)
    return cast("LiteralString", _PART.sub(lambda part: statement(part[1]), text))


def _repeat(line: re.Match[str]) -> str:
    indentation, separator, text = line.groups()
    lines = [
        text.replace("{m}", measure.name)
        .replace("{type}", measure.sql_type)
        .replace("{send}", "int4send" if measure.sql_type == "integer" else "float8send")
        .replace("{bit}", str(1 << number))
        for number, measure in enumerate(MEASURES)
    ]
    return f"{separator or ''}\n".join(f"{indentation}{each}" for each in lines) + "\n"
