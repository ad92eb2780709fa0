"""Errors as problem details (RFC 9457) that name the invalid fields."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # during a database outage


class FieldError(BaseModel):
    """An invalid parameter."""

    field: str = Field(description="Name of the parameter.", examples=["size"])
    detail: str = Field(description="The error.", examples=["must be less than or equal to 10000"])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(default="about:blank", description="Kind of problem, as a URI.")
    title: str = Field(description="Name of the status.", examples=["Unprocessable Content"])
    status: int = Field(description="HTTP status.", examples=[422])
    detail: str = Field(description="The error, and the way to correct it.")
    instance: str = Field(description="Path of the request.")
    errors: list[FieldError] | None = Field(default=None, description="The invalid parameters.")


class ProblemError(HTTPException):
    """An error that is answered as a problem. field: name of the invalid parameter."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.field = field


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of these statuses and 503, for `responses=` of a route."""
    return {status: describe_problem(_MEANINGS[status]) for status in (*statuses, 503)}


def describe_problem(meaning: str) -> dict[str, Any]:
    """Return the OpenAPI description of a response that is a problem document."""
    return {
        "description": meaning,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_MEANINGS = {
    404: "The sensor is unknown.",
    422: "A parameter is invalid; `errors` names it.",
    503: "The database does not answer. Try again after `Retry-After` seconds.",
}

# Names of RFC 9110. Python before 3.13 has those of older standards.
_TITLES = {416: "Range Not Satisfiable", 422: "Unprocessable Content"}


def problem_response(
    path: str,
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return the problem document that answers a failed request of this path."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path,
    }
    if errors:
        content["errors"] = errors
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(psycopg.Error, _database)  # psycopg_pool.PoolTimeout included


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"  # the router does not know of head_requests.py
    field = error.field if isinstance(error, ProblemError) else None
    errors = [{"field": field, "detail": error.detail}] if field else None
    path = request.url.path
    return problem_response(path, error.status_code, error.detail, errors=errors, headers=headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {"field": str(item["loc"][-1]), "detail": _plain(item["msg"])} for item in error.errors()
    ]
    text = "; ".join(f"{item['field']}: {item['detail']}" for item in found)
    return problem_response(request.url.path, 422, text, errors=found)


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input ")
    return text.replace("should be", "must be", 1)


async def _database(request: Request, error: Exception) -> JSONResponse:
    """Log the driver's message and answer without it: it may name hosts and statements."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        detail = "The database took too long for this request. Ask for less data."
    else:
        detail = "The database does not answer. Try again later."
    path = request.url.path
    log.warning("%s %s: %s", request.method, path, error)
    return problem_response(path, 503, detail, headers={"Retry-After": str(RETRY_SECONDS)})
