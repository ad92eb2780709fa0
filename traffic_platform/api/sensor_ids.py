"""Sensors as clients name them."""

from __future__ import annotations

from uuid import UUID

from traffic_platform.api.database import Connection
from traffic_platform.api.problems import ProblemError
from traffic_platform.events.sensors import canonical_external_id, fault, sensor_uuid


async def find_sensor(connection: Connection, name: str, field: str = "sensor_id") -> UUID:
    """The sensor with this UUID or external identifier.

    Raises ProblemError: 404 where there is none, 422 where it can be none; both name `field`.
    """
    wrong = fault(name)
    if wrong:
        raise ProblemError(422, f"{field} {wrong}", field=field)
    external_id = canonical_external_id(name)
    found = await connection.execute(
        "select sensor_id from traffic.sensors where sensor_id = %s or external_id = %s"
        " order by external_id = %s limit 1",
        (sensor_uuid(external_id), external_id, external_id),
    )
    row = await found.fetchone()
    if row is None:
        raise ProblemError(404, f"There is no sensor {name!r}.", field=field)
    return row[0]
