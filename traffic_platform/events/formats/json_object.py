"""The description of a format whose messages are JSON objects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A format whose messages are JSON objects with the measures in `fields`.

    `fields` has a name for each of MEASURES, in their order. They are fields of the object, or of
    the object in its field `container` (empty: none). Measures may be null or absent. Of a repeated
    field the last one counts, as in PostgreSQL's jsonb and most parsers (RFC 8259 leaves it open).
    """

    number: int
    name: str
    fields: tuple[str, ...]
    container: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The place of each measure, for example "traffic_data.speed_mph"."""
        prefix = f"{self.container}." if self.container else ""
        return tuple(f"{prefix}{field}" for field in self.fields)

    @property
    def template(self) -> bytes:
        """A message in which `%b` stands for sensor, time and each measure."""
        measures = ",".join(f'"{field}":%b' for field in self.fields)
        held = f'"{self.container}":{{{measures}}}' if self.container else measures
        return f'{{"sensor_id":"%b","timestamp":"%b",{held}}}'.encode()
