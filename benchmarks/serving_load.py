"""Clients of the API in a separate process; each sends its next request after an answer."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import sys
import time
from dataclasses import dataclass, field

_END = b"\r\n\r\n"
_LARGEST = 1 << 23


@dataclass
class Answers:
    """Seconds of each answer by kind of request, and descriptions of the wrong answers."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Load:
    """Requests to send: pages of 100 readings of a date with `total` readings, current readings.

    `kinds` holds "page", "current" or both.
    """

    port: int
    clients: int
    seconds: float
    kinds: list[str]
    date: str
    total: int
    pages: list[int]  # first and last page to request


async def _client(load: Load, number: int, answers: Answers) -> None:
    choose = random.Random(number)
    reader, writer = await asyncio.open_connection("127.0.0.1", load.port, limit=_LARGEST)
    end = time.monotonic() + load.seconds
    while time.monotonic() < end:
        kind = choose.choice(load.kinds)
        path = "/api/traffic/current"
        if kind == "page":
            path = (
                f"/api/traffic/historical/{load.date}?size=100&page={choose.randint(*load.pages)}"
            )
        began = time.perf_counter()
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
        writer.write(request.encode())
        head = await reader.readuntil(_END)
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        answers.seconds.setdefault(kind, []).append(time.perf_counter() - began)
        if not head.startswith(b"HTTP/1.1 200"):
            answers.wrong.append(f"{path}: {head[:60]!r}")
        elif kind == "page" and choose.random() < 0.1:
            packed = b"content-encoding: gzip" in head.lower()
            found = json.loads(gzip.decompress(body) if packed else body)
            if found["total"] != load.total or len(found["items"]) != 100:
                answers.wrong.append(f"{path}: total {found['total']}")
    writer.close()


async def _all(load: Load) -> Answers:
    answers = Answers()
    await asyncio.gather(*(_client(load, number, answers) for number in range(load.clients)))
    return answers


if __name__ == "__main__":
    found = asyncio.run(_all(Load(**json.loads(sys.argv[1]))))
    json.dump({"seconds": found.seconds, "wrong": found.wrong[:20]}, sys.stdout)
