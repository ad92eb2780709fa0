"""Dependencies point downwards, and modules keep no state. Read from the source, not imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "traffic_platform"
MODULES = sorted(PACKAGE.rglob("*.py"))

# package or module: what it may import from, beside itself
BASE = {
    "atomic_file",
    "database_url",
    "errors",
    "faults",
    "interpreter",
    "process_times",
    "settings",
    "statements",
}
MOVING = BASE | {"events", "decoding_rules", "run_clock", "postgres", "kafka", "ledger"}
STORING = MOVING | {"event_tables", "sensors"}
ROOMS: dict[str, set[str]] = {
    "atomic_file": set(),
    "database_url": set(),
    "errors": set(),
    "faults": set(),
    "interpreter": set(),
    "process_times": set(),
    "statements": {"events"},
    "settings": {"atomic_file", "database_url"},
    "events": set(),
    "run_clock": BASE,
    "decoding_rules": BASE | {"events"},
    "postgres": BASE | {"events"},
    "kafka": BASE | {"postgres"},
    "ledger": BASE | {"postgres", "kafka"},
    "event_tables": MOVING,
    "sensors": MOVING | {"event_tables"},
    # Nothing below the entry points imports the live consumer's package.
    "ingest": STORING,
    "publish": MOVING,
    "archive": BASE | {"postgres"},
    "retention": BASE | {"postgres", "archive", "event_tables", "publish"},
    "maintenance": BASE | {"postgres", "publish", "retention"},
    "monitoring": MOVING | {"archive", "publish"},
    "reprocess": STORING | {"archive", "maintenance", "monitoring"},
    "verify": STORING | {"publish"},
    "rollups": BASE | {"events", "postgres", "event_tables"},
    "detector_health": BASE | {"events", "postgres"},
    "quality": BASE | {"events", "postgres"},
    "stack": BASE | {"events", "postgres", "kafka", "monitoring"},
    "demo": BASE | {"events", "postgres", "kafka", "monitoring", "sensors", "ingest", "stack"},
    "api": BASE | {"events", "postgres", "detector_health", "quality"},
    "dashboard": BASE | {"api", "events"},
    "orchestration": STORING
    | {"ingest", "publish", "maintenance", "retention", "monitoring", "reprocess", "verify"}
    | {"rollups", "detector_health", "quality"},
    "webserver": BASE | {"api"},
    "definitions": BASE | {"orchestration"},
    "cli": STORING
    | {"ingest", "publish", "monitoring", "reprocess", "verify", "rollups", "quality"}
    | {"stack", "demo", "api", "dashboard"},
}
MUTABLE_TYPES = {
    "list",
    "dict",
    "set",
    "bytearray",
    "defaultdict",
    "deque",
    "Counter",
    "OrderedDict",
}
MUTATORS = {
    "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem",
    "popleft", "remove", "reverse", "setdefault", "sort", "update",
}  # fmt: skip


def room_of(module: Path) -> str:
    """The room of a module: its folder in the package, or its own name."""
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_rooms(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and room of everything of ours that is imported, inside functions too."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "traffic_platform":
            names = [f"traffic_platform.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            package, _, rest = name.partition(".")
            if package == "traffic_platform" and rest:
                yield node.lineno, rest.partition(".")[0]


def containers(tree: ast.Module) -> set[str]:
    """Names bound at module level to something that can be changed in place."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign):
            targets, value = [node.target], node.value
        else:
            continue
        if is_mutable(value):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def is_mutable(value: ast.expr | None) -> bool:
    """Whether an expression makes a list, a dict, a set or the like."""
    if isinstance(value, ast.Call):
        made = value.func.value if isinstance(value.func, ast.Subscript) else value.func
        return isinstance(made, ast.Name) and made.id in MUTABLE_TYPES
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return isinstance(value, displays)


def state_changes(tree: ast.Module) -> Iterator[str]:
    """Every place where a module changes something of its own after it was imported."""
    names = containers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in names and node.func.attr in MUTATORS:
                yield f"line {node.lineno}: {owner.id}.{node.func.attr}()"
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value
            if isinstance(owner, ast.Name) and owner.id in names:
                yield f"line {node.lineno}: {owner.id}[…] is changed"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rooms_below_its_own(module: Path) -> None:
    room = room_of(module)
    if room == "__init__":
        return
    allowed = ROOMS[room] | {room}
    tree = ast.parse(module.read_text(encoding="utf-8"))
    upwards = [(line, other) for line, other in imported_rooms(tree) if other not in allowed]
    assert upwards == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_keeps_no_state(module: Path) -> None:
    assert list(state_changes(ast.parse(module.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    [
        "SEEN = set()\ndef see(x): SEEN.add(x)",
        "CACHE: dict[str, int] = {}\ndef put(k, v): CACHE[k] = v",
        "QUEUE = deque[int]()\ndef take(): return QUEUE.popleft()",
        "COUNT = 0\ndef count():\n    global COUNT\n    COUNT += 1",
    ],
)
def test_state_in_a_module_is_found(source: str) -> None:
    assert list(state_changes(ast.parse(source))) != []


@pytest.mark.parametrize(
    "source",
    [
        "import traffic_platform.orchestration.ingest.event_tables_asset",
        "from traffic_platform.cli import main",
        "from traffic_platform import stack",
        "def late():\n    from traffic_platform.orchestration import assets",
    ],
)
def test_an_import_from_above_is_found(source: str) -> None:
    rooms = {room for _, room in imported_rooms(ast.parse(source))}
    assert rooms - ROOMS["ingest"]
