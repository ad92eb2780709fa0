"""Bytes that anybody may have sent, as text that nobody can misread."""

from __future__ import annotations


def printable(data: bytes | None) -> str:
    """One line of text: what is no printable character is escaped. None is a missing value.

    The result is text, not HTML: a template escapes it.
    """
    if data is None:
        return "none"
    text = data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
