"""`python -m traffic_platform.api`: serve the API without the dashboard, until SIGTERM."""

from __future__ import annotations

from traffic_platform.api.app import create_app
from traffic_platform.api.serve import serve
from traffic_platform.settings import load_settings


def main() -> None:
    """Serve at TRAFFIC_API_HOST and TRAFFIC_API_PORT."""
    settings = load_settings()
    serve(create_app(settings), settings)


if __name__ == "__main__":
    main()
