"""The archive: days of raw as Parquet files with manifests, written before retention drops them.

    files        names, manifests, checksums
    arrow_rows   rows of raw_events as Arrow record batches
    write        a day from the table into a file
    read         a day from its files

pyarrow is large, so only `arrow_rows` and `write` import it at once, and only retention imports
these two.
"""

from traffic_platform.archive.files import ArchiveError, Manifest, archived_parts
from traffic_platform.archive.read import read_archived_day

__all__ = ["ArchiveError", "Manifest", "archived_parts", "read_archived_day"]
