"""`/docs`: Swagger UI, with its files from a package, so that no other host is contacted."""

from __future__ import annotations

import base64
import hashlib
import re

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from traffic_platform.api.security.headers import content_security_policy

FILES = "/docs/files"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def add_swagger_ui(app: FastAPI) -> None:
    """Serve Swagger UI for the application's own description at /docs."""
    answer = get_swagger_ui_html(
        openapi_url=app.openapi_url or "",
        title=f"{app.title}: API",
        swagger_js_url=f"{FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{FILES}/swagger-ui.css",
        swagger_favicon_url=f"{FILES}/favicon.png",
        swagger_ui_parameters={"displayRequestDuration": True, "tryItOutEnabled": True},
    )
    page = bytes(answer.body)
    headers = {"Content-Security-Policy": content_security_policy(script=_script_source(page))}

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:  # pyright: ignore[reportUnusedFunction]
        return HTMLResponse(page, headers=headers)

    app.mount(FILES, StaticFiles(packages=[("fastapi_offline", "static")]), name="swagger-ui")


def _script_source(page: bytes) -> str:
    """Return the source of scripts: this server, and the page's inline script by its SHA-256."""
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    hashes = (f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return " ".join(("'self'", *hashes))
