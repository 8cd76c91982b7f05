"""What the models of bodies and answers have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from provisioning.usecases.pages import Page

T = TypeVar("T")

LONGEST_TEXT = 1000
_NO_YEAR = "its year is not between 2 and 9998"
_NO_CONTROL = r"^[^\x00-\x1f\x7f]*$"

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, pattern=_NO_CONTROL)]
"""A text on one line: what a use case says of it comes later, but no database refuses it."""

Secret = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
"""A password as it was typed: it is hashed, never stored or shown."""


def _everywhere(moment: datetime) -> datetime:
    """The moment in UTC; refuses those that have no year in some zone of the world."""
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(_NO_YEAR) from None
    if not 1 < in_utc.year < 9999:
        raise ValueError(_NO_YEAR)
    return in_utc


Moment = Annotated[AwareDatetime, AfterValidator(_everywhere)]
"""A moment with its time zone."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]


def absent() -> Any:
    """The default of a field that need not be sent; ``Input.sent`` never holds it."""
    return Field(default=None, json_schema_extra=_without_default)


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class RowForm(StrEnum):
    """How rows are written."""

    JSON = "json"
    CSV = "csv"


class Input(BaseModel):
    """A body. JSON's own types only (no ``"1"`` for 1), and no field that is not declared."""

    model_config = ConfigDict(
        extra="forbid", strict=True, use_enum_values=True, use_attribute_docstrings=True
    )

    def sent(self) -> dict[str, Any]:
        """The fields that were sent."""
        return self.model_dump(exclude_unset=True)


class Form(BaseModel):
    """A body as HTML forms are sent: texts, and further fields that nobody reads.

    What is an ``Input`` too may come as either, with no field that is not declared.
    """

    model_config = ConfigDict(extra="ignore", use_attribute_docstrings=True)


class Shown(BaseModel):
    """An answer; a field that was not set is left out of it."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)

    @classmethod
    def of(cls, row: object, **more: Any) -> Self:
        """The answer that shows a row: its attributes of the same names, and ``more``."""
        of_row = {
            name: getattr(row, name)
            for name in cls.model_fields
            if name not in more and hasattr(row, name)
        }
        return cls(**of_row, **more)


class Listing(Shown, Generic[T]):
    """A page of a list."""

    # Each kind of list is a class of its own, and looking for its docstrings in the sources of
    # everything loaded is most of what a start takes.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[T]
    next: UUID | None = Field(
        default=None, description="What to send as ``cursor`` for the next page; null on the last."
    )


class _Identified(Protocol):
    @property
    def id(self) -> Any: ...


R = TypeVar("R", bound=_Identified)


def listing(rows: list[R], page: Page, show: Callable[[R], T]) -> Listing[T]:
    """The rows as a page, with the cursor of the next one if this one is full."""
    full = len(rows) >= page.limit
    return Listing(items=[show(row) for row in rows], next=rows[-1].id if full else None)


def whole(items: Iterable[T]) -> Listing[T]:
    """A list that comes in one page."""
    return Listing(items=list(items), next=None)


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that is bytes of a media type of its own; ``Takes`` says which and how large."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Takes:
    """What an upload may be: its media types, the usual one first, and the most bytes."""

    media_types: tuple[str, ...]
    largest: int


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that is bytes of a media type of its own, and the revision of what they are."""

    content: bytes
    media_type: str
    revision: int | None = None
