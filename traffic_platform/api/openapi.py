"""The description of the API (OpenAPI 3.1), complete with its errors."""

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

Speed is in miles per hour, volume in vehicles per hour, occupancy in percent. Times are UTC and end
in Z; a date is a day of the platform's zone. Errors are problem details (RFC 9457), which name the
fields that are wrong. JSON has an entity tag: ask with `If-None-Match` to get 304 where nothing has
changed. Large answers are compressed for those who accept gzip. HEAD answers as GET, without a
body."""

_TAGS = (
    ("traffic", "Readings of all sensors: by date, the newest, and as they come."),
    ("export", "A date as a file."),
    ("sensors", "Detectors, and the readings of one of them."),
    ("quality", "How good the data of a date is."),
    ("health", "Whether the API lives and can serve."),
)


def describe(app: FastAPI) -> None:
    """Let the application describe itself so. The document is made when first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(
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
    made.setdefault("components", {}).setdefault("schemas", {}).update(models["$defs"])
    for path in made["paths"].values():
        for operation in path.values():
            success = operation["responses"].get("200", {})
            if "application/json" in success.get("content", {}) and operation["tags"] != ["health"]:
                _describe_tags(operation, success)
    describe_security(made)
    return made


def _describe_tags(operation: dict[str, Any], success: dict[str, Any]) -> None:
    success["headers"] = {
        "ETag": {"description": "Tag of the content.", "schema": {"type": "string"}}
    }
    operation["responses"]["304"] = {"description": "The client has it already."}
    operation.setdefault("parameters", []).append(
        {
            "name": "If-None-Match",
            "in": "header",
            "required": False,
            "description": "Tags of what the client has.",
            "schema": {"type": "string"},
        }
    )
