"""The version of the rules changes when results can, and only then."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

from traffic_platform.events.rules import RULES_REVISION, Rules

RULES = Rules(date(2010, 1, 1), None, "UTC")


def test_equal_rules_have_one_version_of_revision_and_digest() -> None:
    assert RULES.version == Rules(date(2010, 1, 1), None, "UTC").version
    assert re.fullmatch(rf"{RULES_REVISION}-[0-9a-f]{{8}}", RULES.version)


def test_every_setting_that_decides_results_changes_the_version() -> None:
    others = [
        replace(RULES, first_date=date(2010, 1, 2)),
        replace(RULES, naive_timezone="UTC"),
        replace(RULES, timezone="Europe/Berlin"),
        replace(RULES, naive_timezone="Europe/Berlin"),
        replace(RULES, unknown_sensors="quarantine"),
    ]
    assert len({rules.version for rules in [RULES, *others]}) == 6
