"""The sheet of labels: A4 pages of ten, with lines to cut along, as PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import cast

import segno
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos

from provisioning.domain.wording import say

_FONT = Path(__file__).parent / "font" / "DejaVuSans.ttf"
_FAMILY = "Sans"

_WIDTH, _HEIGHT = 95.0, 55.0
_COLUMNS, _ROWS = 2, 5
_LEFT, _TOP = (210 - _COLUMNS * _WIDTH) / 2, (297 - _ROWS * _HEIGHT) / 2
_PER_PAGE = _COLUMNS * _ROWS
"""Millimetres of a label, and how many of them A4 takes (ISO 216: 210 by 297 mm)."""

_PADDING = 4.0
_CODE = 36.0
"""Millimetres of a side of the QR code, with the four light modules around it that ISO/IEC 18004
asks for."""

_POINT = 25.4 / 72
_LINE = 1.25
_GREY = 190


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a label."""

    title: str
    place: str
    url: str


def drawn(labels: Iterable[Label], language: str) -> bytes:
    """The labels as a PDF in a language; without any, a page that says so."""
    pdf = FPDF(format="A4")
    pdf.set_auto_page_break(False)
    pdf.set_lang(language)
    pdf.add_font(_FAMILY, fname=_FONT)
    number = -1
    for number, label in enumerate(labels):
        place = number % _PER_PAGE
        if place == 0:
            pdf.add_page()
        row, column = divmod(place, _COLUMNS)
        _draw(pdf, label, language, _LEFT + column * _WIDTH, _TOP + row * _HEIGHT)
    if number < 0:
        pdf.add_page()
        _write(pdf, say(language, "label.none"), 12, x=_LEFT, y=_TOP, width=170, lines=3)
    return bytes(pdf.output())


def _draw(pdf: FPDF, label: Label, language: str, left: float, top: float) -> None:
    pdf.set_draw_color(_GREY)
    pdf.set_line_width(0.1)
    pdf.rect(left, top, _WIDTH, _HEIGHT)
    x, y = left + _PADDING, top + _PADDING
    _draw_code(pdf, label.url, x, y)
    pdf.link(x, y, _CODE, _CODE, label.url)
    beside, width = x + _CODE + 2, _WIDTH - _CODE - 2 - 2 * _PADDING
    after = _write(pdf, label.title, 14, x=beside, y=y + 2, width=width, lines=2)
    after = _write(pdf, label.place, 10, x=beside, y=after + 1, width=width, lines=2)
    _write(pdf, say(language, "label.how"), 9, x=beside, y=after + 2, width=width, lines=3)
    below, whole = y + _CODE + 1, _WIDTH - 2 * _PADDING
    _write(pdf, label.url, 7, x=x, y=below, width=whole, lines=3, wrap=WrapMode.CHAR)


def _draw_code(pdf: FPDF, url: str, left: float, top: float) -> None:
    """The QR code as filled runs, sharp at any size."""
    rows = list(segno.make(url, error="m", micro=False).matrix_iter(border=4))
    side = _CODE / len(rows)
    pdf.set_fill_color(0)
    for y, row in enumerate(rows):
        for x, length in _dark_runs(row):
            pdf.rect(left + x * side, top + y * side, length * side, side, style="F")


def _dark_runs(row: Iterable[int]) -> Iterator[tuple[int, int]]:
    start = 0
    for dark, run in groupby(row, key=bool):
        length = len(list(run))
        if dark:
            yield start, length
        start += length


def _write(
    pdf: FPDF,
    text: str,
    size: float,
    *,
    x: float,
    y: float,
    width: float,
    lines: int,
    wrap: WrapMode = WrapMode.WORD,
) -> float:
    """Write a text in a box, cut after so many lines; returns where it ended."""
    pdf.set_font(_FAMILY, size=size)
    pdf.set_xy(x, y)
    height = size * _POINT * _LINE
    only_lines = pdf.multi_cell(
        width, height, text, dry_run=True, output="LINES", wrapmode=wrap, align="L", padding=0
    )
    fitting = cast("list[str]", only_lines)
    kept = fitting[:lines]
    if len(fitting) > lines:
        kept[-1] = kept[-1].rstrip()[:-1] + "…"
    for line in kept:
        pdf.set_x(x)
        pdf.cell(width, height, line, new_x=XPos.LEFT, new_y=YPos.NEXT)
    return float(pdf.get_y())
