"""`python -m benchmarks`: what `make bench` runs."""

from __future__ import annotations

from typing import Annotated

import typer

from benchmarks.throughput import measure_throughput

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of the throughput legs.")] = 3,
    events: Annotated[int | None, typer.Option(min=100_000, help="Events of a leg.")] = None,
) -> None:
    measure_throughput(rounds, events)


if __name__ == "__main__":
    app()
