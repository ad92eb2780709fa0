"""The OpenAPI 3.1 document, with errors, entity tags and security."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from traffic_platform.api.problems import Problem
from traffic_platform.api.security.openapi_security import describe_security

TITLE = "traffic_platform"
DESCRIPTION = """Readings of roadside detectors.

- Speed is in miles per hour, volume in vehicles per hour, occupancy in percent.
- Times are in UTC and end in Z. A date is a day in the platform's time zone.
- Errors are problem details (RFC 9457) that name the invalid fields.
- JSON answers carry an entity tag. With `If-None-Match`, an unchanged answer is 304 without a body.
- Large answers are compressed for clients that accept gzip.
- HEAD answers like GET, without a body.

If requests need a key, choose **Authorize** and enter it."""

_TAGS = (
    ("traffic", "Readings of all sensors: by date, the newest, and as a live stream."),
    ("export", "The readings of a date as a file."),
    ("sensors", "Detectors, and the readings of one detector."),
    ("quality", "Data quality of a date."),
    ("health", "Liveness and readiness of the API."),
)


def describe(app: FastAPI) -> None:
    """Make the application serve this document. It is created at the first request."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=TITLE,
        version=version("traffic-platform"),
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in _TAGS],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    _, models = models_json_schema(
        [(Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    document.setdefault("components", {}).setdefault("schemas", {}).update(models["$defs"])
    for path in document["paths"].values():
        for operation in path.values():
            # FastAPI would show the name of the function.
            operation["summary"] = operation["description"].partition("\n")[0].rstrip(".")
            success = operation["responses"].get("200", {})
            if "application/json" in success.get("content", {}) and operation["tags"] != ["health"]:
                _describe_entity_tag(operation, success)
    describe_security(document)
    return document


def _describe_entity_tag(operation: dict[str, Any], success: dict[str, Any]) -> None:
    success["headers"] = {
        "ETag": {"description": "Entity tag of the content.", "schema": {"type": "string"}}
    }
    operation["responses"]["304"] = {"description": "The client has the current content."}
    operation.setdefault("parameters", []).append(
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "Entity tags of the content that the client has.",
            "schema": {"type": "string"},
        }
    )
