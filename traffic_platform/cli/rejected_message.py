"""A rejected message for `traffic quarantine show`: a table and a hex dump, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from traffic_platform.cli.console import print_table, say
from traffic_platform.events.texts import printable

if TYPE_CHECKING:
    from traffic_platform.monitoring.rejected_messages import QuarantinedBytes

_SHOWN_BYTES = 4096


def show_message(message: QuarantinedBytes, full: bool) -> None:
    """Print a message with all its bytes (full), or with the first _SHOWN_BYTES."""

    print_table(
        f"{message.topic} [{message.partition}] offset {message.offset}",
        ("", ""),
        [
            ("reason", message.reason),
            ("detail", message.detail),
            ("broker timestamp", message.broker_timestamp),
            ("stored", message.ingested_at),
            ("quarantined", message.quarantined_at),
            ("topic number", str(message.topic_no)),
            ("topic id", message.kafka_topic_id),
            ("batch", str(message.batch_id)),
            ("Dagster run", message.run_id or "none"),
            ("rules", message.rules_version),
            ("resolved", message.resolved_at or "no"),
            *([("resolution", message.resolution)] if message.resolution else []),
        ],
    )
    for name, data in _parts(message):
        size = "none" if data is None else f"{len(data):,} bytes"
        say(f"{name}: {size}")
        for line in _dump(data or b"", full):
            say(f"  {line}")
    if message.value:
        cut = message.value if full else message.value[:_SHOWN_BYTES]
        say(f"value as text: {printable(cut)}")


def _parts(message: QuarantinedBytes) -> list[tuple[str, bytes | None]]:
    """Return key, headers and value with their names."""

    headers = message.headers or []
    pairs = zip(headers[::2], headers[1::2], strict=True)
    named = [(f"header {printable(name or b'')}", value) for name, value in pairs]
    return [("key", message.key), *named, ("value", message.value)]


def _dump(data: bytes, full: bool) -> list[str]:
    """Return 16 bytes a line, in hexadecimal and as text without control characters."""
    shown = data if full else data[:_SHOWN_BYTES]
    lines: list[str] = []
    for start in range(0, len(shown), 16):
        part = shown[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    if len(data) > len(shown):
        lines.append(f"… {len(data) - len(shown):,} more bytes (--full shows them)")
    return lines


def message_document(message: QuarantinedBytes) -> dict[str, object]:
    """Return a message as JSON: its bytes as escaped text and as Base64."""
    from base64 import b64encode
    from dataclasses import asdict

    def both(name: str, data: bytes | None) -> dict[str, object]:
        if data is None:
            return {f"{name}_text": None, f"{name}_base64": None}
        return {f"{name}_text": printable(data), f"{name}_base64": b64encode(data).decode()}

    document = asdict(message)
    headers = document.pop("headers") or []
    document.pop("key")
    document.pop("value")
    return {
        **document,
        **both("key", message.key),
        **both("value", message.value),
        "headers": [
            {"name": printable(name or b""), **both("value", value)}
            for name, value in zip(headers[::2], headers[1::2], strict=True)
        ],
    }
