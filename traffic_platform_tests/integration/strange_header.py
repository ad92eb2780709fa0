"""A producer of a header whose name is not valid UTF-8.

Run it with `python -m`, arguments SERVERS TOPIC VALUE. It needs its own process, because only
aiokafka's Python code (AIOKAFKA_NO_EXTENSIONS=1) accepts any bytes as a name.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaProducer


class Bytes(str):
    """A string that encodes to bytes that are not valid UTF-8."""

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfename"


async def send(servers: str, topic: str, value: str) -> None:
    """Send one message with three headers, the second of that name."""
    headers = [("site", b"7"), (Bytes("any"), b"\x00"), ("empty", None)]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, value.encode(), headers=headers)


if __name__ == "__main__":
    asyncio.run(send(*sys.argv[1:]))
