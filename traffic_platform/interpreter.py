"""Settings of Python's interpreter for processes that move batches.

Such a process stores one batch while it builds the next. The storing thread often needs the
interpreter for microseconds, and PostgreSQL waits until the thread gets it.
"""

from __future__ import annotations

import gc
import sys

# Items for one call of a C function. A call keeps the interpreter until it ends, which takes a
# millisecond for this many messages.
AT_A_TIME = 2_000

# The default lets a thread keep the interpreter for 5 ms, a tenth of the total time.
_SWITCH_SECONDS = 0.0005

# A batch is tens of thousands of objects that live until it is stored. By default the collector
# searches young objects for cycles at every 700th one, and batches have no cycles.
_YOUNG_OBJECTS = 200_000


def prepare_interpreter() -> None:
    """Switch threads more often and search for cycles less often, in the whole process."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
