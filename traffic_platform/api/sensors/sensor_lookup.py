"""Sensors as clients name them."""

from __future__ import annotations

from uuid import UUID

from starlette.convertors import Convertor, register_url_convertor

from traffic_platform.api.database import Connection
from traffic_platform.api.problems import ProblemError
from traffic_platform.events.sensor_ids import canonical_external_id, fault, sensor_uuid


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


class _IdConvertor(Convertor[str]):
    """An identifier in a path: any text, slashes and lines too.

    A server decodes %2F before it looks for a route, so a slash of an identifier looks like any.
    """

    regex = "(?s:.+)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


# Routes say {id:sensor}. Those with something behind it come first, since it takes the whole path.
register_url_convertor("sensor", _IdConvertor())
