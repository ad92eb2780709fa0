"""Route of the live readings, as server-sent events."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse

from traffic_platform.api.head_requests import headers_alone, is_head
from traffic_platform.api.problems import responses
from traffic_platform.api.stream.live_readings import LiveReadings

router = APIRouter(prefix="/api/traffic", tags=["traffic"])

_EVENTS = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_EXAMPLE = (
    "id: 1f0c55ab-17\n"
    "event: reading\n"
    'data: {"id":"5a1c7b66-38a5-f3a9-2b3c-0f7f3a9d8a11","sensor_id":'
    '"0b8f6f8e-58a0-5a9f-9a38-3d2b8f1f0c55","timestamp":"2025-10-04T12:00:00Z","speed":54.2,'
    '"volume":1260,"occupancy":8.1,"quality_score":1}\n\n'
)
_STREAM = {
    "description": "Server-sent events, without an end.",
    "content": {_EVENTS: {"schema": {"type": "string"}, "example": _EXAMPLE}},
}


@router.get("/stream", response_class=Response, responses={200: _STREAM, **responses(422)})
async def stream(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Header(description="Id of the last event that the client has. The stream resumes there."),
    ] = None,
) -> Response:
    """Stream of readings as they are stored.

    Each reading is an event `reading` with the fields of an item. The first event is `ready`; its
    id is where to resume. A client that reconnects with `Last-Event-ID` (browsers do) gets the
    readings that it missed, up to about 60,000 back. Beyond that it gets an event `reset`, and
    should read `/api/traffic/current`. If there is nothing to send, a comment comes every 15
    seconds. Changes by reprocessing and backfills are not streamed. Swagger UI cannot show an
    endless answer: use `curl -N`.
    """
    if is_head(request):
        return headers_alone(_EVENTS, _HEADERS)
    live: LiveReadings = request.app.state.live
    await live.open()
    return StreamingResponse(live.listen(last_event_id), media_type=_EVENTS, headers=_HEADERS)
