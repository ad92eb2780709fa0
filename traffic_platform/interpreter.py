"""How a process that moves batches uses Python's interpreter.

While one batch is stored the next is built. The thread that stores needs the interpreter again and
again, for microseconds; PostgreSQL waits until it gets it.
"""

from __future__ import annotations

import gc
import sys

# Items that one call of a C function is given at a time: such a call keeps the interpreter until
# it ends, a millisecond for so many messages.
AT_A_TIME = 2_000

# By default a thread may keep the interpreter for 5 ms, a tenth of all time.
_SWITCH_SECONDS = 0.0005

# A batch is tens of thousands of objects that live until it is stored. By default the collector
# looks through the young ones for cycles at every 700th; no batch has any.
_YOUNG_OBJECTS = 200_000


def prepare_interpreter() -> None:
    """Let threads take turns more often, and look for cycles more rarely; for the whole process."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
