"""Error of the local stack. Its message is one line that says what to do next."""

from __future__ import annotations


class StackError(Exception):
    """A part of the local stack cannot be prepared, started or ended."""
