"""docs/commands.md shows the help of every command as it is."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from typer.testing import CliRunner

from provisioning.cli import app

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"
WIDTH = 96
HEADING = re.compile(r"^##+ `provisioning (.+)`$", re.MULTILINE)


def commands() -> list[str]:
    """The words of every command, in the order the program lists them."""
    found = []
    for name, command in typer.main.get_command(app).commands.items():
        members = getattr(command, "commands", None)
        found += [f"{name} {member}" for member in members] if members else [name]
    return found


def section(words: str) -> str:
    """The section of a command."""
    ran = CliRunner().invoke(
        app, [*words.split(), "--help"],
        prog_name="provisioning", terminal_width=WIDTH, max_content_width=WIDTH,
    )  # fmt: skip
    assert ran.exit_code == 0
    return f"## `provisioning {words}`\n\n```\n{ran.output.strip()}\n```\n"


def test_every_command_is_described_as_it_is():
    """The page has the help of each command, in their order, and of nothing else."""
    text = PAGE.read_text(encoding="utf-8")
    wanted = [section(words) for words in commands()]
    assert "\n".join(part for part in wanted if part not in text) == ""
    assert HEADING.findall(text) == commands()


def test_every_command_says_what_it_does():
    """The help of each command begins with what it does."""
    silent = [words for words in commands() if not re.search(r"Usage: .*\n\n  \w", section(words))]
    assert silent == []
