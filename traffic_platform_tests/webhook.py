"""A webhook: a real HTTP server that keeps what it is sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Webhook:
    """A server that keeps what it is sent, and answers with `status`.

    To what holds `refused`, anywhere in its body, it answers with `refuses_with`.
    """

    def __init__(self) -> None:
        self.status = 200
        self.refused: str | None = None
        self.refuses_with = 400
        self.bodies: list[dict[str, object]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/a-secret-path"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refused = webhook.refused is not None and webhook.refused in body.decode()
                status = webhook.refuses_with if refused else webhook.status
                if status == 200:
                    webhook.bodies.append(json.loads(body))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()

            def log_message(self, format: str, *_: object) -> None:
                return

        return Handler
