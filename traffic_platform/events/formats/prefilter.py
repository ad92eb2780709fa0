"""Messages that the typed decoder must not read, although it would accept some of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from traffic_platform.events.formats.json_text import MAX_BYTES, MAX_DEPTH


def replace_unsafe(values: Iterable[bytes | None]) -> list[bytes]:
    """Return the messages with an empty one, which no decoder accepts, in place of an unsafe one.

    Unsafe are tombstones, too large messages, messages that could be nested too deep (the decoder's
    limit is the stack that its caller left), and invalid UTF-8 (the decoder does not check the
    texts of fields that it skips).
    """
    safe = [value or b"" for value in values]
    if not all(map(bytes.isascii, safe)):
        safe = [value if _is_utf8(value) else b"" for value in safe]
    sizes = np.fromiter(map(len, safe), np.int64, len(safe))
    # A message nested too deep has two brackets per level.
    for position in np.flatnonzero(sizes > 2 * MAX_DEPTH).tolist():
        value = safe[position]
        if len(value) > MAX_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH:
            safe[position] = b""
    return safe


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
