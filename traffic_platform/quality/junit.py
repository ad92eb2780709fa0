"""Check results as JUnit XML, which CI systems show beside those of tests."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

from traffic_platform.quality.run import Result

# Characters that XML 1.0 cannot hold, even escaped; names of sensors may contain them.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, results: Sequence[Result], day: date) -> None:
    """Write one test case per check.

    A failed ERROR check is a failure; a warning is in the output of a passed case. A check that
    could not run is an error, and one that was not evaluated is skipped. Raises OSError.
    """
    suite = ET.Element(
        "testsuite",
        name=f"traffic check {day}",
        tests=str(len(results)),
        failures=str(sum(result.is_error for result in results)),
        errors=str(sum(result.outcome.broken for result in results)),
        skipped=str(sum(not result.outcome.evaluated for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        _add_case(suite, result)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    path.write_bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _add_case(suite: ET.Element, result: Result) -> None:
    outcome = result.outcome
    case = ET.SubElement(
        suite,
        "testcase",
        classname=result.check.table,
        name=result.check.name,
        time=f"{result.seconds:.3f}",
    )
    if not outcome.evaluated:
        ET.SubElement(case, "skipped", message=_text(outcome.summary))
    elif outcome.broken:
        ET.SubElement(case, "error", message=_text(outcome.summary), type="broken")
    elif result.is_error:
        failure = ET.SubElement(
            case, "failure", message=_text(outcome.summary), type=result.check.severity
        )
        failure.text = _details(result)
    elif not outcome.passed:
        ET.SubElement(case, "system-out").text = f"WARN: {_details(result)}"


def _details(result: Result) -> str:
    lines = [
        result.outcome.summary,
        f"What to do: {result.check.runbook}",
        *(
            ", ".join(f"{name} {value}" for name, value in row.items() if value is not None)
            for row in result.outcome.sample
        ),
    ]
    return _text("\n".join(lines))


def _text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
