"""Errors as RFC 9457 problem details, which name the field that is wrong."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # while the database is away


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Name of the parameter.", examples=["size"])
    detail: str = Field(
        description="What is wrong with it.", examples=["must be less than or equal to 10000"]
    )


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    type: str = Field(default="about:blank", description="Kind of the problem; a URI.")
    title: str = Field(description="Meaning of the status.", examples=["Unprocessable Content"])
    status: int = Field(description="The HTTP status.", examples=[422])
    detail: str = Field(description="What went wrong, in words.")
    instance: str = Field(description="Path of the request.")
    errors: list[FieldError] | None = Field(
        default=None, description="The fields that are wrong, where any are."
    )


class ProblemError(Exception):
    """Answer with this problem. `field` names the parameter that is wrong."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.headers = headers


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of these statuses, for `responses=` of a route; 503 is always one."""
    return {status: _documented(status) for status in (*statuses, 503)}


def _documented(status: int) -> dict[str, Any]:
    return {
        "description": _MEANINGS[status],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_MEANINGS = {
    400: "The request is wrong.",
    404: "There is no such thing.",
    406: "None of the media types that are asked for can be had.",
    416: "There is no such range.",
    422: "A parameter is wrong; `errors` names it.",
    429: "Too many requests.",
    503: "The database does not answer. Ask again after `Retry-After` seconds.",
}

# As RFC 9110 names them; before 3.13 Python has the names of older standards.
_TITLES = {416: "Range Not Satisfiable", 422: "Unprocessable Content"}


def problem_response(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """The answer to a request that went wrong."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status) or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if errors:
        content["errors"] = errors
    return JSONResponse(content, status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Let every error of the application be answered as a problem."""
    app.add_exception_handler(ProblemError, _own)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(psycopg.Error, _database)


async def _own(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)
    errors = [{"field": error.field, "detail": error.detail}] if error.field else None
    return problem_response(
        request, error.status, error.detail, errors=errors, headers=error.headers
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if headers.get("Allow") == "GET":
        headers["Allow"] = "GET, HEAD"  # see head.py, of which the router knows nothing
    return problem_response(request, error.status_code, str(error.detail), headers=headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {"field": str(item["loc"][-1]), "detail": _plain(item["msg"])} for item in error.errors()
    ]
    text = "; ".join(f"{item['field']}: {item['detail']}" for item in found)
    return problem_response(request, 422, text, errors=found)


def _plain(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Input ")
    return text.replace("should be", "must be", 1)


async def _database(request: Request, error: Exception) -> JSONResponse:
    """The driver's message may name hosts and statements: it is logged, not answered."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        detail = "The database took too long for this request. Ask for less."
    else:
        detail = "The database does not answer. Ask again."
    log.warning("%s %s: %s", request.method, request.url.path, error)
    return problem_response(request, 503, detail, headers={"Retry-After": str(RETRY_SECONDS)})
