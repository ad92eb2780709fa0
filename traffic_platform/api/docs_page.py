"""`/docs`: the API's description as one page that loads nothing from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:auto;padding:1rem}
details{border:1px solid #8886;border-radius:.4rem;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer}code,pre,input,select,td:first-child{font-family:ui-monospace,monospace}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #8884;padding:.2rem .5rem;
vertical-align:top}pre{overflow:auto;max-height:24rem;background:#8882;padding:.5rem}
.path{font-weight:600}.note{opacity:.75}
"""
_SCRIPT = """
for (const form of document.forms) form.addEventListener('submit', async event => {
  event.preventDefault()
  const query = new URLSearchParams()
  let path = form.dataset.path
  for (const field of form.elements) {
    if (!field.name || !field.value) continue
    const value = encodeURIComponent(field.value)
    if (field.dataset.in === 'path') path = path.replace(`{${field.name}}`, value)
    else query.set(field.name, field.value)
  }
  const url = path + (query.size ? `?${query}` : '')
  const out = form.nextElementSibling
  out.hidden = false
  out.textContent = `GET ${url}`
  const began = performance.now()
  const answer = await fetch(url)
  let text = await answer.text()
  try { text = JSON.stringify(JSON.parse(text), null, 1) } catch {}
  const took = Math.round(performance.now() - began)
  out.textContent = `GET ${url}\\n${answer.status} in ${took} ms\\n\\n${text.slice(0, 20000)}`
})
"""


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The description for people; /openapi.json is the same for programs."""
    return HTMLResponse("".join(_page(request.app.openapi())))


def _page(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield "<!doctype html><html lang=en><meta charset=utf-8>"
    yield '<meta name=viewport content="width=device-width,initial-scale=1">'
    yield f"<title>{escape(info['title'])}: API</title><style>{_STYLE}</style>"
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info['description'])}</p>"
    yield "<p>For programs: <a href=/openapi.json>openapi.json</a></p>"
    for tag in document["tags"]:
        yield f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if tag["name"] in operation.get("tags", ()):
                    yield from _operation(document, path, method, operation)
    yield f"<script>{_SCRIPT}</script>"


def _operation(
    document: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> Iterator[str]:
    text = operation.get("description", "")
    yield f"<details><summary>{method.upper()} <span class=path>{escape(path)}</span> "
    yield f"<span class=note>{escape(text.partition(chr(10))[0])}</span></summary>"
    yield f"<p>{escape(text)}</p>"
    parameters = operation.get("parameters", [])
    if parameters:
        rows = [(one["name"], _parameter(one)) for one in parameters]
        yield f"<h4>Parameters</h4>{_table(rows)}"
    yield "<h4>Answers</h4>"
    answers = operation["responses"].items()
    yield _table([(status, one["description"]) for status, one in sorted(answers)])
    yield from _fields(document, operation)
    if method == "get" and "text/event-stream" not in json.dumps(operation["responses"]):
        yield from _form(path, parameters)
    yield "</details>"


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    parts = [parameter.get("description", ""), f"({parameter['in']})"]
    if parameter.get("required"):
        parts.append("Required.")
    bounds = {"at least": "minimum", "at most": "maximum", "default": "default"}
    for word, key in bounds.items():
        if schema.get(key) is not None:
            parts.append(f"{word} {schema[key]}")
    return " ".join(parts)


def _fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    """The fields of the answer, and of what it is made of."""
    content = operation["responses"].get("200", {}).get("content", {})
    pending = _references(content.get("application/json", {}))
    seen: set[str] = set()
    while pending:
        name = pending.pop(0)
        if name in seen:
            continue
        seen.add(name)
        schema = document["components"]["schemas"][name]
        rows = [(key, one.get("description", "")) for key, one in schema["properties"].items()]
        yield f"<h4>{escape(name)}</h4><p>{escape(schema.get('description', ''))}</p>{_table(rows)}"
        pending += _references(schema["properties"])


def _references(schema: Any) -> list[str]:
    """Names of the schemas that one refers to, in their order."""
    if isinstance(schema, list):
        return [name for one in schema for name in _references(one)]
    if not isinstance(schema, dict):
        return []
    found: list[str] = []
    for key, value in schema.items():
        if key == "$ref":
            found.append(str(value).rpartition("/")[2])
        else:
            found += _references(value)
    return found


def _form(path: str, parameters: list[dict[str, Any]]) -> Iterator[str]:
    yield f"<form data-path='{escape(path)}'>"
    for one in parameters:
        if one["in"] == "header":
            continue
        examples = one["schema"].get("examples") or [one["schema"].get("default", "")]
        value = examples[0] if one["in"] == "path" else one["schema"].get("default", "")
        name = escape(one["name"])
        yield f"<label>{name} <input name='{name}' data-in={one['in']} "
        yield f"value='{escape(str(value))}'></label> "
    yield "<button>Try it</button></form><pre hidden></pre>"


def _table(rows: list[tuple[str, str]]) -> str:
    cells = (f"<tr><td>{escape(name)}<td>{escape(text)}" for name, text in rows)
    return f"<table>{''.join(cells)}</table>"
