"""A producer that names a header with bytes which are no UTF-8: `python -m` it SERVERS TOPIC VALUE.

A process of its own, since only aiokafka's Python code (AIOKAFKA_NO_EXTENSIONS=1) lets a client
choose the bytes of a name.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaProducer


class Bytes(str):
    """A text that is written as those bytes."""

    def encode(self, *_: str) -> bytes:
        return b"\xff\xfename"


async def send(servers: str, topic: str, value: str) -> None:
    """Send one message with three headers, the second of that name."""
    headers = [("site", b"7"), (Bytes("any"), b"\x00"), ("empty", None)]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        await producer.send_and_wait(topic, value.encode(), headers=headers)


if __name__ == "__main__":
    asyncio.run(send(*sys.argv[1:]))
