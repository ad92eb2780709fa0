"""Days of raw as Parquet files, each with a manifest: written before a day is dropped, read back.

pyarrow is large: only `rows` and `write` import it at once, and nothing imports these but upkeep.

    files       names, manifests, checksums
    rows        rows of raw_events as Arrow's record batches
    write       a day out of the table
    read        a day out of the files
"""

from traffic_platform.archive.files import ArchiveError, Manifest, archived_parts
from traffic_platform.archive.read import read_archived_day

__all__ = ["ArchiveError", "Manifest", "archived_parts", "read_archived_day"]
