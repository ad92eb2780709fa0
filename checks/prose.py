"""Check the language of documentation, user interface, comments and docstrings.

    python checks/prose.py            exit 1: a banned construction, or a page of long sentences
    python checks/prose.py --report   print the length of sentences by page, too

The rules help the writer. They do not judge whether a sentence is good.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
READ = {".css", ".html", ".js", ".md", ".py", ".service", ".sh", ".sql", ".toml", ".yaml", ".yml"}
READ_TOO = {".ci/run", "Makefile", "deploy/Caddyfile", "deploy/Containerfile", "deploy/nginx.conf"}
LEFT_OUT = {
    "traffic_platform_tests/postgres/version_0_1_0.sql",  # the dump of an older version
    "docs/data-dictionary.md",  # made from sql/catalogue.toml
    "traffic_platform/stack/kafka.lock.toml",
    "traffic_platform_tests/checks/test_prose.py",  # its examples break the rules
}
WORDS_A_SENTENCE = 18  # the average of a page stays below
DOCSTRINGS = (ast.Module,)  # whose docstrings do not begin with a question word


# Details of rejected messages. Databases hold them, and `traffic verify --deep` compares them, so
# another wording would need new rules for every stored batch.
STORED = re.compile(r"is no (?:UTF-8|JSON|character|date and time of ISO 8601)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Text:
    """Text for people, and the line where it begins."""

    line: int
    text: str
    kind: str = "text"  # or heading, docstring, paragraph, item


@dataclass(frozen=True)
class Rule:
    """A banned construction, and the advice to its writer."""

    pattern: re.Pattern[str]
    advice: str
    kinds: tuple[str, ...] = ()  # all, where empty


def rule(pattern: str, advice: str, *kinds: str) -> Rule:
    """Return a rule; a space in its pattern stands for white space of any length."""
    return Rule(re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE), advice, kinds)


RULES = (
    rule(
        r"\bwhat (?:is|are|was|were|has|have|had|does|did)\b(?![^.!?]*\?)",
        "name the thing with a noun: 'rejected messages', 'the changes'",
    ),
    rule(
        r"(?<!\bthere\s)\b(?:is|are|was|were) (?-i:none)\b",
        "write the ordinary word: 'invalid', 'missing', 'is not one'",
    ),
    rule(
        r"(?<!\bthere\s)\b(?:is|are|was|were) no (?!longer|more|less|fewer|later|earlier)\w+",
        "write 'is not a …', or the ordinary word: 'invalid', 'missing', 'unknown'",
    ),
    rule(r"\b(?:is|are|was|were) away\b", "write 'is unavailable' or 'does not answer'"),
    rule(r"\bmade again\b", "write 'recreated', or 'backfill' for dates"),
    rule(r"\bthat which\b", "name the thing with a noun"),
    rule(r"\bwhoever\b", "name the person or the role: 'a user who …', 'the operator'"),
    rule(r"\bby now\b", "write 'now', 'already', or 'with the current settings'"),
    rule(r"\blets? in\b(?!-)", "write 'accepts', 'admits', or 'reprocesses' for quarantine"),
    rule(r"\bworked off\b", "write 'processed', 'resolved' or 'caught up'"),
    rule(r"\bbrought (?:it|them|something)\b", "write 'ingested', 'sent' or 'caused'"),
    rule(r"\Asay (?:how|what|which|who|whether)\b", "begin with the verb: 'Show', 'Print', 'List'"),
    rule(
        r"\A(?:what|how|whether|who|which)\b(?![^.!?]*\?)",
        "begin with a verb in the imperative or with a noun",
        "docstring",
    ),
    rule(
        r"\A(?:what|how|whether|who|which)\b(?! to\b)(?![^.!?]*\?)",
        "write a noun or a task: 'Backfills', 'Alert on a failing check'",
        "heading",
    ),
)


def main() -> None:
    """Check every file; print each place with the advice to its writer."""
    found: list[str] = []
    lengths: dict[str, list[int]] = {}
    for name in files():
        texts = list(read(name, (ROOT / name).read_text(encoding="utf-8")))
        found += [f"{name}:{problem}" for text in texts for problem in problems(text)]
        if name.endswith(".md"):
            lengths[name] = [count for text in texts for count in sentence_lengths(text)]
    if "--report" in sys.argv:
        print("\n".join(report(lengths)))
    found += [
        f"{name}: {average(counts):.1f} words a sentence on average: write shorter sentences,"
        f" under {WORDS_A_SENTENCE}"
        for name, counts in lengths.items()
        if average(counts) >= WORDS_A_SENTENCE
    ]
    if found:
        sys.exit("\n".join([*found, f"{len(found)} places to write in plainer English."]))
    print("No banned construction, and no page of long sentences.")


def files() -> list[str]:
    """List the files to read: all under version control and new ones."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return sorted(
        name
        for name in set(names) - LEFT_OUT
        if (Path(name).suffix in READ or name in READ_TOO) and (ROOT / name).is_file()
    )


def problems(text: Text) -> Iterator[str]:
    """Yield the line, the construction and the advice for each banned construction."""
    for banned in RULES:
        if banned.kinds and text.kind not in banned.kinds:
            continue
        for match in banned.pattern.finditer(STORED.sub("", text.text)):
            line = text.line + text.text.count("\n", 0, match.start())
            yield f"{line}: '{' '.join(match[0].split())}': {banned.advice}"


def report(lengths: dict[str, list[int]]) -> Iterator[str]:
    """Yield a line for each page, the longest sentences first."""
    yield "average  longest  sentences  page"
    for name, counts in sorted(lengths.items(), key=lambda item: -average(item[1])):
        yield f"{average(counts):7.1f}  {max(counts, default=0):7}  {len(counts):9}  {name}"


def average(counts: list[int]) -> float:
    """Return the average of counts, 0 without any."""
    return sum(counts) / len(counts) if counts else 0


# Reading


def read(name: str, content: str) -> Iterator[Text]:
    """Yield the texts for people in a file."""
    if name.endswith(".py"):
        yield from python_strings(content)
        yield from python_comments(content)
    elif name.endswith(".md"):
        yield from markdown(content)
    else:
        yield Text(1, without_marks(content))


def without_marks(content: str) -> str:
    """Remove Jinja's tags and the marks of comments, so that sentences go on in the next line."""
    content = re.sub(r"{%.*?%}", "", content)
    return re.sub(r"^[ \t]*(?:#+|//+|--+|/?\*+)[ \t]?", "", content, flags=re.MULTILINE)


def python_strings(content: str) -> Iterator[Text]:
    """Yield docstrings and other strings that hold more than a word."""
    inside: set[ast.AST] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, DOCSTRINGS) and (docstring := ast.get_docstring(node)):
            yield Text(node.body[0].lineno, docstring, "docstring")
            inside.add(node.body[0].value)  # pyright: ignore[reportAttributeAccessIssue]
        elif isinstance(node, ast.JoinedStr):
            inside.update(node.values)
            parts = (part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
            yield Text(node.lineno, "".join(str(part) for part in parts))
        elif isinstance(node, ast.Constant) and node not in inside and " " in str(node.value):
            yield Text(node.lineno, str(node.value))


def python_comments(content: str) -> Iterator[Text]:
    """Yield comments; lines that follow one another are one text."""
    lines: list[str] = []
    first = last = 0
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != last + 1:
            yield Text(first, "\n".join(lines))
            lines = []
        if not lines:
            first = token.start[0]
        last = token.start[0]
        lines.append(token.string.lstrip("# "))
    if lines:
        yield Text(first, "\n".join(lines))


_FENCE = re.compile(r" *(?:```|~~~)")
_HEADING = re.compile(r"#+ +(.*)")
_ITEM = re.compile(r" *(?:[-*+]|\d+[.)]) +(.*)")


def markdown(content: str) -> Iterator[Text]:
    """Yield headings, paragraphs, items of lists, and the lines of tables and code."""
    block: list[str] = []
    kind, first, fenced = "paragraph", 1, False
    for number, line in enumerate([*content.split("\n"), ""], 1):
        fence = _FENCE.match(line) is not None
        heading, item = _HEADING.match(line), _ITEM.match(line)
        indented = line.startswith("    ") and not block and item is None
        apart = fenced or fence or indented or line.startswith(("|", "<"))
        if block and (apart or heading or item or not line.strip()):
            yield Text(first, "\n".join(block), kind)
            block = []
        if apart:
            yield Text(number, line)
        elif heading:
            yield Text(number, heading[1], "heading")
        elif line.strip():
            if not block:
                kind, first = "item" if item else "paragraph", number
            block.append(item[1] if item else line.strip())
        fenced ^= fence


_CODE = re.compile(r"(`+).+?\1", re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_END = re.compile(r"(?<=[.!?])[\"')*_]*\s+(?=[\"'(*_]*[A-Z0-9])")


def sentence_lengths(text: Text) -> Iterator[int]:
    """Yield the number of words of each sentence; skip an item without a full stop."""
    if text.kind not in ("paragraph", "item"):
        return
    plain = _LINK.sub(r"\1", _CODE.sub("Code", text.text)).strip()
    if text.kind == "item" and not re.search(r"[.!?:][\"')*_]*$", plain):
        return
    for sentence in _END.split(plain):
        words = [word for word in sentence.split() if any(map(str.isalnum, word))]
        if words:
            yield len(words)


if __name__ == "__main__":
    main()
