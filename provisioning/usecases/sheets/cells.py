"""CSV texts and their cells (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from provisioning.domain.errors import BrokenRule, InvalidInput
from provisioning.domain.spreadsheets import guarded, unguarded

MOST_ROWS = 20_000
_LONGEST_CELL = 2000
_TRUE, _FALSE = ("yes", "true", "1"), ("no", "false", "0")


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one row; ``line`` counts from 1 with the header, ``column`` may be empty."""

    line: int
    column: str
    what: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its line in the text and its cells by column, blanks at their ends removed."""

    line: int
    cells: Mapping[str, str]

    def error(self, column: str, rule: BrokenRule) -> RowError:
        """The error that a broken rule is in this row."""
        return RowError(self.line, column, rule.what, rule.remedy)


def read(text: str, columns: Sequence[str], *, required: Sequence[str] = ()) -> list[Row]:
    """The rows of a CSV text with a header of these columns, separated by commas or semicolons.

    Raises InvalidInput for a header with other columns or one twice, for rows of another length
    and for more rows or longer cells than are taken.
    """
    plain = text.removeprefix("\ufeff")
    first = plain.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header, columns, required)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            rows.append(_row(reader.line_num, header, cells))
            if len(rows) > MOST_ROWS:
                raise InvalidInput(
                    f"There are more than {MOST_ROWS} rows.", remedy="Send them in parts."
                )
    except csv.Error as error:
        raise InvalidInput(
            f"Line {reader.line_num} is no CSV: {error}.",
            remedy="Put quotes around a cell that holds a separator, a quote or a line end.",
        ) from None
    return rows


def _check_header(header: list[str], columns: Sequence[str], required: Sequence[str]) -> None:
    known = ", ".join(columns)
    for column in header:
        if column not in columns:
            raise InvalidInput(
                f"There is no column '{column[:40]}'.",
                remedy=f"There are: {known}.",
                field=column[:40],
            )
        if header.count(column) > 1:
            raise InvalidInput(
                f"The column '{column}' is there twice.", remedy="Leave one out.", field=column
            )
    for column in required:
        if column not in header:
            raise InvalidInput(
                f"The column '{column}' is missing.", remedy=f"There are: {known}.", field=column
            )


def _row(line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        raise InvalidInput(
            f"Line {line} has {len(cells)} cells, the header {len(header)}.",
            remedy="Give every row a cell for each column.",
        )
    if any(len(cell) > _LONGEST_CELL for cell in cells):
        raise InvalidInput(
            f"Line {line} has a cell of more than {_LONGEST_CELL} characters.", remedy="Shorten it."
        )
    return Row(line, dict(zip(header, (unguarded(cell).strip() for cell in cells), strict=True)))


def write(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A CSV text with a header; raises nothing for any text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([[guarded(cell) for cell in row] for row in rows])
    return out.getvalue()


def yes(column: str, cell: str) -> bool:
    """A cell that says yes or no; raises InvalidInput for anything else."""
    word = cell.lower()
    if word not in (*_TRUE, *_FALSE):
        raise InvalidInput(
            f"{cell!r:.40} is neither yes nor no.", remedy="Write yes or no.", field=column
        )
    return word in _TRUE


def word(value: bool) -> str:
    """Yes or no, as it is written."""
    return _TRUE[0] if value else _FALSE[0]
