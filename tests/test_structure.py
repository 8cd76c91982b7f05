"""The shape of the source: lengths, docstrings, directions of import, nothing of a machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "provisioning"
MIGRATIONS = PACKAGE / "store" / "migrations" / "versions"
LONGEST = 400
LONGEST_TEST = 600
# Written in two halves, or this file would be found too.
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/")
NEXT_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


def sources() -> list[Path]:
    """Every file git tracks or would track."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def python_sources() -> list[Path]:
    """Every Python file but the migrations, which are written once and never changed."""
    return [path for path in sources() if path.suffix == ".py" and path.parent != MIGRATIONS]


def test_files_are_short():
    """No source file has more than 400 lines and no test file more than 600."""
    too_long = {}
    for path in python_sources():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > (LONGEST_TEST if path.is_relative_to(ROOT / "tests") else LONGEST):
            too_long[str(path.relative_to(ROOT))] = lines
    assert not too_long


def collected(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions pytest collects."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node


def fault(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What is wrong with a test's docstring, if anything."""
    text = (ast.get_docstring(function) or "").strip()
    if not text:
        return "has no docstring"
    if "\n\n" in text or NEXT_SENTENCE.search(text):
        return "has more than one sentence"
    return "" if text.endswith(".") else "does not end its sentence"


def test_every_test_says_what_it_promises():
    """Every test function has a docstring of one sentence."""
    tests = (path for path in python_sources() if path.is_relative_to(ROOT / "tests"))
    faults = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name} {what}"
        for path in tests
        if path.name.startswith("test_")
        for function in collected(ast.parse(path.read_text(encoding="utf-8")))
        if (what := fault(function))
    ]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("", "has no docstring"),
        ("Two. Sentences.", "has more than one sentence"),
        ("A first.\n\nAnd more.", "has more than one sentence"),
        ("No full stop", "does not end its sentence"),
        ("TFTP (RFC 1350, section 2) sends 512 bytes.", ""),
    ],
)
def test_docstring_check_finds_what_it_looks_for(docstring, expected):
    """The check of docstrings tells one sentence from none, several and half of one."""
    function = ast.parse(f"def test_x():\n    {docstring!r}\n").body[0]
    assert isinstance(function, ast.FunctionDef)
    assert fault(function) == expected


def test_every_package_says_what_it_is():
    """Every folder of the package is a package with a docstring."""
    folders = {path.parent for path in python_sources() if path.is_relative_to(PACKAGE)}
    silent = []
    for folder in folders:
        init = folder / "__init__.py"
        text = init.read_text(encoding="utf-8") if init.is_file() else ""
        if not ast.get_docstring(ast.parse(text)):
            silent.append(str(folder.relative_to(ROOT)))
    assert not silent


def test_imports_point_down():
    """The contracts of import-linter in pyproject.toml hold."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    ran = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_no_file_knows_the_machine_it_was_written_on():
    """No file holds a path of one machine."""
    found = []
    for path in sources():
        content = path.read_bytes()
        if any(place.encode() in content for place in MACHINE_PATHS):
            found.append(str(path.relative_to(ROOT)))
    assert not found


def test_dependencies_are_pinned_without_places():
    """The lock files hold exact versions only, and the run-time lock is part of the other."""
    runtime, dev = (
        set((ROOT / name).read_text(encoding="utf-8").splitlines())
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line) for line in runtime | dev)
    assert runtime <= dev
