"""Write the pages of the documentation that are generated from the code.

python checks/generate_docs.py     or `make docs-generated`
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from traffic_platform.events.measures import MEASURES
from traffic_platform.events.quality_tests import QUALITY_TESTS
from traffic_platform.postgres.data_dictionary import data_dictionary
from traffic_platform.settings.reference import settings_page

ROOT = Path(__file__).parents[1]

_QUALITY_TESTS = """# Quality tests

Every event goes through these tests. A failed test sets its bit in `quality_flags`; it rejects
nothing.
The first seven come from the Texas Transportation Institute, for one detector in one lane
("Quality control procedures for archived operations traffic data", 2007).

{tests}

| Value | Definition |
|---|---|
| `quality_flags` | Sum of the bits of the failed tests |
| test that applies | A test of which no measure is null |
| `quality_score` | Tests passed / tests that apply, to 2 decimals; at most the reported score |
| empty road | A reading whose present measures are all zero. It scores 1, whatever its flags |
| good reading | `quality_flags` is 0, or {normal} on an empty road |

## Possible values

An event with a value outside this range is rejected (`out_of_range`).

{measures}

`make docs-generated` writes this page from `traffic_platform/events/quality_tests.py` and
`traffic_platform/events/measures.py`.
"""


def quality_tests() -> str:
    """Return the page of the quality tests, in Markdown."""
    tests = [
        (f"{test.bit}", f"`{test.name}`", test.sentence, ", ".join(test.measures))
        for test in QUALITY_TESTS
    ]
    measures = [
        (f"`{measure.name}`", measure.unit, f"0 to {measure.high:,.0f}") for measure in MEASURES
    ]
    normal = [f"{test.bit}" for test in QUALITY_TESTS if test.normal_on_empty_road]
    return _QUALITY_TESTS.format(
        tests=_table(("Bit", "Name", "Fails", "Measures"), tests),
        measures=_table(("Measure", "Unit", "Range"), measures),
        normal=" + ".join(normal),
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(cells)} |" for cells in (head, *rows)]
    lines.insert(1, "|---" * len(head) + "|")
    return "\n".join(lines)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "docs/data-dictionary.md": data_dictionary,
    "docs/quality-tests.md": quality_tests,
    "docs/settings.md": settings_page,
}


def main() -> None:
    """Write all pages."""
    for name, page in PAGES.items():
        (ROOT / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
