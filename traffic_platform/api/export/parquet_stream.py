"""A Parquet file that is sent while it is written."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from traffic_platform.events.measures import MEASURES

_TYPES = (
    ("id", pa.string()),
    ("sensor_id", pa.string()),
    ("external_id", pa.string()),
    ("timestamp", pa.timestamp("us", tz="UTC")),
    *(
        (measure.name, pa.int32() if measure.sql_type == "integer" else pa.float64())
        for measure in MEASURES
    ),
    ("quality_score", pa.float64()),
    ("quality_flags", pa.int16()),
)
COLUMNS = tuple(name for name, _ in _TYPES)
_SCHEMA = pa.schema(list(_TYPES))


class ParquetStream:
    """A writer that returns the bytes of the file as they arise. It is not thread-safe."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(self._sink, _SCHEMA, compression="zstd")

    def write_csv(self, rows: bytes) -> bytes:
        """Add the rows (CSV without a header) as a row group; return the next bytes of the file."""
        table = arrow_csv.read_csv(
            pa.BufferReader(rows),
            read_options=arrow_csv.ReadOptions(column_names=list(COLUMNS), use_threads=False),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=_SCHEMA, strings_can_be_null=False, null_values=[""]
            ),
        )
        self._writer.write_table(table.cast(_SCHEMA), row_group_size=len(table))
        return self._sink.take()

    def close(self) -> bytes:
        """Return the footer, the last bytes of the file."""
        self._writer.close()
        return self._sink.take()


class _Sink(io.RawIOBase):
    """A buffer of written bytes that `take` empties."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        piece = bytes(data)
        self._pieces.append(piece)
        self._length += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._length

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
