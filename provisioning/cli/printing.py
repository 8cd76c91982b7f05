"""How commands show rows: as columns for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer


def moment(value: datetime | None) -> str | None:
    """A moment as the API writes it: UTC to the second."""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if value else None


def plain(row: Any) -> dict[str, Any]:
    """An overview's fields as JSON has them."""
    return {name: _plain(value) for name, value in asdict(row).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, tuple):
        return list(value)
    return value if isinstance(value, bool | int | None) else str(value)


def print_items(items: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """A list: ``{"items": [...]}``, or aligned columns below their names."""
    if as_json:
        print_json({"items": list(items)})
        return
    if not items:
        return
    table = [[name.replace("_", " ").upper() for name in items[0]]]
    table += [[_text(value) for value in item.values()] for item in items]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def print_item(item: Mapping[str, Any], *, as_json: bool) -> None:
    """One thing: a JSON object, or a line for each of its fields."""
    if as_json:
        print_json(item)
        return
    width = max(map(len, item)) + 1
    for name, value in item.items():
        typer.echo(f"{(name.replace('_', ' ') + ':').ljust(width)} {_text(value)}".rstrip())


def print_json(value: Any) -> None:
    """JSON as a program and a person can read it."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(map(str, value)) or "-"
    return str(value)
