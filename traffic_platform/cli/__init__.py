"""The `traffic` command line.

A module of this package holds one command, a function of the module's name, or a group of commands,
a Typer named `app`. Commands import the platform inside their functions, so that `traffic --help`
is instant. An error is one line on standard error; `--debug` shows the traceback.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from typing import Annotated

import typer

# Commands in the order of the help, with their modules.
_COMMANDS = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "logs": "logs",
    "open": "open",
    "doctor": "doctor",
    "produce": "produce",
    "replay": "replay",
    "ingest": "ingest",
    "publish": "publish",
    "verify": "verify",
    "check": "check",
    "backfill": "backfill",
}
_GROUPS = ("quarantine", "sensors", "keys")

# The exit code of an error. For these commands 1 means that they ran and found a difference.
_ERROR_CODES = {"verify": 2, "check": 2, "doctor": 2}


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"traffic {version('traffic-platform')}\n")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Move road-traffic detector data from Apache Kafka into PostgreSQL, exactly once.

    Example: traffic up --demo sample
    """


def build_app() -> typer.Typer:
    """Return the command line with all commands."""
    app = typer.Typer(
        name="traffic",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for name, module in _COMMANDS.items():
        app.command(name)(getattr(import_module(f"{__name__}.{module}"), name))
    for name in _GROUPS:
        app.add_typer(import_module(f"{__name__}.{name}").app, name=name)
    return app


def main() -> None:
    """Run the command given by the process arguments, and exit."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    # Service managers send SIGTERM. Commands that finish their current batch handle it themselves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build_app()(arguments, prog_name="traffic")
    except BrokenPipeError:
        # The reader closed the pipe. The interpreter must not write there when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001, RUF100  (the last handler of the process)
        if debug:
            traceback.print_exc()
        else:
            sys.stderr.write(f"{describe(error)}\n")
        command = next((word for word in arguments if not word.startswith("-")), "")
        sys.exit(_ERROR_CODES.get(command, 1))


def describe(error: Exception) -> str:
    """Return an error as one line: the platform's own by message, others also by type."""
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("traffic_platform."):
        return text
    return f"{type(error).__name__}: {text or 'no message'} (--debug shows the traceback)"
