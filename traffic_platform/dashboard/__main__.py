"""`python -m traffic_platform.dashboard`: serve API and dashboard until SIGTERM."""

from __future__ import annotations

from traffic_platform.api.app import create_app
from traffic_platform.api.serve import serve
from traffic_platform.dashboard.mount import mount
from traffic_platform.settings import load_settings


def main() -> None:
    """Serve both at TRAFFIC_API_HOST and TRAFFIC_API_PORT."""
    settings = load_settings()
    app = create_app(settings)
    mount(app)
    serve(app, settings)


if __name__ == "__main__":
    main()
