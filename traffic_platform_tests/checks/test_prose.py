"""The prose check, with sentences before and after a rewrite."""

from __future__ import annotations

import pytest

from checks import prose

REJECTED = [
    ("README.md", "```sh\ntraffic quarantine list  # what is no event, and why\n```"),
    ("README.md", "`quarantine replay` lets in what is one by now."),
    ("page.md", "An address with a date that is none says so."),
    ("backfill.md", "# Dates made again"),
    ("backfill.md", "# What never breaks"),
    ("settings.py", '"""A sensor.\n\nsilent for longer is none any more\n"""'),
    ("CHANGELOG.md", "- NiceGUI's log no longer holds the queries of addresses that are none."),
    ("day.py", 'panel("Runs that brought it")'),
    ("runs.html", "<p>No run of Dagster brought something of this day.</p>"),
    ("quarantine.py", 'sub = f"Messages that are no event {count}"'),
    ("quarantine.py", 'sub = "kept byte for byte until it is " "worked off"'),
    ("stack.py", '"""A command."""\n"Say how the local stack is."'),
    ("look.py", '"""What checks look at: a database, a date, and the moment that it is now."""'),
    ("look.py", '"""Whether a date is closed."""'),
    ("rows.sql", "-- the query returns null for what\n-- is none"),
    ("rows.py", "seconds = 5  # while the database is away"),
    ("rows.py", "# Whoever changes readings\n# appends the pairs."),
    ("rows.py", "# It is that\n# which was deleted."),
]
ACCEPTED = [
    ("README.md", "```sh\ntraffic quarantine list  # rejected messages, by reason\n```"),
    ("README.md", "`quarantine reprocess` retries them with today's settings."),
    ("page.md", "An invalid date shows an error message."),
    ("backfill.md", "# Backfills"),
    ("runbook.md", "## What to do"),
    ("page.md", "## What is a detector?"),
    ("settings.py", '"""Unregistered sensors that stay silent this long are removed."""'),
    ("CHANGELOG.md", "- NiceGUI's log no longer holds the query strings of unknown URLs."),
    ("runs.html", "<p>No Dagster run ingested data for this date.</p>"),
    (
        "quarantine.py",
        'sub = "Rejected messages. The original bytes are kept until you resolve them."',
    ),
    ("stack.py", '"""A command."""\n"Show the state of the local stack."'),
    ("look.py", '"""Inputs of a check: a connection, a local date, and the current time."""'),
    ("rows.sql", "-- null where the sensor has no interval yet"),
    ("runs.html", "{% if run is none %}<p>No Dagster run ingested data.</p>{% endif %}"),
    ("rows.py", "# The interval is None where the sensor has none yet."),
    ("rows.py", "# There is no reading, and there are none before it. It is no longer read."),
    ("rows.py", "# What is the offset of a topic that was deleted? The ledger knows."),
]


def rejections(name: str, content: str) -> list[str]:
    """List the problems of a file."""
    return [problem for text in prose.read(name, content) for problem in prose.problems(text)]


@pytest.mark.parametrize(("name", "content"), REJECTED)
def test_a_banned_construction_is_found(name: str, content: str) -> None:
    assert rejections(name, content)


@pytest.mark.parametrize(("name", "content"), ACCEPTED)
def test_plain_english_passes(name: str, content: str) -> None:
    assert rejections(name, content) == []


def test_a_problem_names_its_line_its_words_and_better_ones() -> None:
    content = '"""Docstring."""\n\n# The first line,\n# a server that\n# is  away.\n'
    (problem,) = rejections("rows.py", content)
    assert problem == "5: 'is away': write 'is unavailable' or 'does not answer'"


def test_a_string_in_parts_is_read_as_one() -> None:
    assert rejections("rows.py", 'say(f"{name!r} is"\n    " no origin")')


def lengths(content: str) -> list[int]:
    """List the words of each sentence of a page."""
    return [count for text in prose.markdown(content) for count in prose.sentence_lengths(text)]


def test_sentences_are_counted_in_paragraphs_and_whole_items() -> None:
    page = """# A heading counts nothing

The publisher sends each event once. It takes `traffic publish --once` 0.6 s
on [two cores](performance.md).

- a fragment
- An item that is a sentence.

| a | table. |
|---|---|

```sh
traffic status  # Code counts nothing. Nor does this.
```
"""
    assert lengths(page) == [6, 8, 6]


def test_every_kind_of_file_is_read() -> None:
    names = prose.files()
    assert {"README.md", "Makefile", "checks/prose.py", "sql/catalogue.toml"} <= set(names)
    assert any(name.endswith(".html") for name in names)
    assert not set(names) & prose.LEFT_OUT
