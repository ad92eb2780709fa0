"""The `traffic` command: what a person or a script asks of the platform.

Each module of this package holds one command, a function of the module's name, or a group of
commands, a Typer named `app`. They import what they need inside the functions, so that
`traffic --help` is instant. An error is one line on standard error; `--debug` shows where it arose.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

# Commands in the order of the help, with the module of each.
_COMMANDS = {
    "up": "stack",
    "down": "stack",
    "status": "stack",
    "produce": "produce",
    "replay": "replay",
    "ingest": "ingest",
    "publish": "publish",
    "verify": "verify",
    "check": "check",
    "backfill": "backfill",
}
_GROUPS = ("quarantine", "sensors", "keys")

# Where 1 means "looked, and found a difference", not having been able to look is 2.
_COULD_NOT_RUN = {"verify": 2, "check": 2}


def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error arose.")] = False,
) -> None:
    """Road-traffic detector data from Apache Kafka into PostgreSQL, exactly once."""


def build_app() -> typer.Typer:
    """The command line with everything registered."""
    app = typer.Typer(
        name="traffic",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_root)
    for name, module in _COMMANDS.items():
        if find_spec(f"{__name__}.{module}"):
            app.command(name)(getattr(import_module(f"{__name__}.{module}"), name))
    for name in _GROUPS:
        if find_spec(f"{__name__}.{name}"):
            app.add_typer(import_module(f"{__name__}.{name}").app, name=name)
    return app


def main() -> None:
    """Run the command that the process was started with, and exit."""
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    # A service manager's way to say ctrl-C. Commands that finish what is in hand listen themselves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build_app()(arguments, prog_name="traffic")
    except BrokenPipeError:
        # The reader of our output has seen enough; the interpreter must not write there again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001, RUF100  (the edge of the process)
        if debug:
            traceback.print_exc()
        else:
            sys.stderr.write(f"{describe(error)}\n")
        command = next((word for word in arguments if not word.startswith("-")), "")
        sys.exit(_COULD_NOT_RUN.get(command, 1))


def describe(error: Exception) -> str:
    """One line for a person: our own errors say what to do, others also say what they are."""
    text = " ".join(str(error).split())
    if type(error).__module__.startswith("traffic_platform."):
        return text
    return f"{type(error).__name__}: {text or 'no message'} (--debug shows where)"
