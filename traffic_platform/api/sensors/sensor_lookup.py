"""Lookup of a sensor by its UUID or external identifier, and the path converter for it."""

from __future__ import annotations

from uuid import UUID

from starlette.convertors import PathConvertor, register_url_convertor

from traffic_platform.api.database import Connection
from traffic_platform.api.problems import ProblemError
from traffic_platform.events.sensor_ids import canonical_external_id, fault, sensor_uuid


async def find_sensor(connection: Connection, name: str, field: str = "sensor_id") -> UUID:
    """Return the UUID of the sensor with this UUID or external identifier.

    Raises ProblemError that names `field`: 404 for an unknown sensor, 422 for an invalid name.
    """
    invalid = fault(name)
    if invalid:
        raise ProblemError(422, f"{field} {invalid}", field=field)
    external_id = canonical_external_id(name)
    found = await connection.execute(
        "select sensor_id from traffic.sensors where sensor_id = %s or external_id = %s"
        " order by external_id = %s limit 1",
        (sensor_uuid(external_id), external_id, external_id),
    )
    row = await found.fetchone()
    if row is None:
        raise unknown_sensor(name, field)
    return row[0]


def unknown_sensor(name: str, field: str) -> ProblemError:
    """Return the problem (404) of a sensor that is not registered."""
    return ProblemError(
        404, f"Unknown sensor {name!r}. GET /api/sensors lists the sensors.", field=field
    )


class _IdConvertor(PathConvertor):
    """An identifier in a path: any text, including slashes and line breaks.

    The server decodes %2F before it routes, so a slash in an identifier looks like any other.
    """

    regex = "(?s:.+)"


# Routes use {id:sensor}. It matches the rest of the path, so routes with a suffix come first.
register_url_convertor("sensor", _IdConvertor())
