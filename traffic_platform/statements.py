"""SQL that is longer than a line lives in `sql/`, one file a statement; this loads it by name."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import LiteralString, cast

_PACKAGE = Path(__file__).parent
_PART = re.compile(r"^--\| (\S+)\n", re.MULTILINE)


def sql_folder() -> Path:
    """The folder of SQL files: inside the installed wheel, or beside the package in a checkout."""
    installed = _PACKAGE / "_sql"
    return installed if installed.is_dir() else _PACKAGE.parent / "sql"


@cache
def statement(name: str) -> LiteralString:
    """Return the text of `sql/NAME.sql`; `name` is a path without its ending: "ingest/advance".

    A line `--| NAME` stands for the text of that file: what several statements have in common.
    The files ship with the code and hold no input of users, hence LiteralString.
    Raises FileNotFoundError when there is no such statement.
    """
    text = (sql_folder() / f"{name}.sql").read_text(encoding="utf-8")
    return cast("LiteralString", _PART.sub(lambda part: statement(part[1]), text))
