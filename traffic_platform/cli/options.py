"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
TargetTopic: TypeAlias = Annotated[
    str | None, typer.Option("--topic", help="Target topic. Default: the raw topic.")
]
# Version 0.1.0 required the option. Scripts that pass it continue to work.
Once: TypeAlias = Annotated[
    bool, typer.Option("--once", hidden=True, help="Accepted without effect: the default.")
]
