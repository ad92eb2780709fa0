"""Stacks for the tests of the demo."""

from traffic_platform_tests.stack.conftest import make_stack

__all__ = ["make_stack"]
