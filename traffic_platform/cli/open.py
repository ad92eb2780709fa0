"""`traffic open`: open the dashboard in a browser."""

from __future__ import annotations

import webbrowser

from traffic_platform.cli.console import load_settings, say


def open() -> None:
    """Open the dashboard of the local stack in a browser, and print its address.

    Without a browser, such as over SSH, the command only prints the address.

    Example: traffic open
    """
    from traffic_platform.errors import PermanentError
    from traffic_platform.stack.find import find_stack

    found = find_stack(load_settings())
    if found.state is None:
        raise PermanentError(f"The dashboard is not served: {found.missing}. Run `traffic up`.")
    if found.state.api_url is None:
        raise PermanentError("The dashboard is not served yet. `traffic status` shows the start.")
    say(found.state.api_url)
    webbrowser.open(found.state.api_url)
