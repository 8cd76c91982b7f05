"""Tables of what an organisation has to give its people: numbers, groups, targets, licences."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from provisioning.domain.kinds import LicenceKind, TargetKind
from provisioning.store.base import Base, Owned, one_of, owned_key, unique_where, within


class Number(Owned, Base):
    """A number of the organisation (E.164 with its plus sign), the only source for caller ids.

    The default one goes out where a user has none of their own.
    """

    __tablename__ = "number"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "number"),
        unique_where("uq_number_default", "organisation_id", "is_default"),
    )

    number: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    is_default: Mapped[bool] = mapped_column(default=False)


class UserNumber(Owned, Base):
    """One of several numbers a user may call out with, in order."""

    __tablename__ = "user_number"
    __table_args__ = (
        within("user_id", "user", ondelete="CASCADE"),
        within("number_id", "number"),
        UniqueConstraint("user_id", "number_id"),
        Index("ix_user_number_number", "number_id"),
    )

    user_id: Mapped[UUID]
    number_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(default=1)


class CostCentre(Owned, Base):
    """Where calls are charged; ``code`` is dialled before a number, empty for none."""

    __tablename__ = "cost_centre"
    __table_args__ = (owned_key(), UniqueConstraint("organisation_id", "name"))

    name: Mapped[str]
    code: Mapped[str] = mapped_column(default="")


class Category(Owned, Base):
    """A way to group users: department, office …; the built-in one is the department."""

    __tablename__ = "category"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "name"),
        unique_where("uq_category_built_in", "organisation_id", "built_in"),
    )

    name: Mapped[str]
    built_in: Mapped[bool] = mapped_column(default=False)


class CategoryOption(Owned, Base):
    """One group of a category, for example the department Sales."""

    __tablename__ = "category_option"
    __table_args__ = (
        owned_key(),
        within("category_id", "category", ondelete="CASCADE"),
        UniqueConstraint("category_id", "name"),
    )

    category_id: Mapped[UUID]
    name: Mapped[str]


class UserOption(Owned, Base):
    """That a user belongs to an option; to at most one of each category."""

    __tablename__ = "user_option"
    __table_args__ = (
        within("user_id", "user", ondelete="CASCADE"),
        within("category_id", "category", ondelete="CASCADE"),
        within("option_id", "category_option", ondelete="CASCADE"),
        UniqueConstraint("user_id", "category_id"),
        Index("ix_user_option_option", "option_id"),
    )

    user_id: Mapped[UUID]
    category_id: Mapped[UUID]
    option_id: Mapped[UUID]


class CallTarget(Owned, Base):
    """A named thing of the PBX that calls can go to, with its number."""

    __tablename__ = "call_target"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "kind", "name"),
        one_of("kind", TargetKind, name="kind"),
    )

    kind: Mapped[str]
    name: Mapped[str]
    number: Mapped[str] = mapped_column(default="")


class Licence(Owned, Base):
    """How many licences of a kind, or of an add-on by its name, the organisation owns."""

    __tablename__ = "licence"
    __table_args__ = (
        owned_key(),
        UniqueConstraint("organisation_id", "kind", "add_on"),
        one_of("kind", LicenceKind, name="kind"),
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("(kind = 'add-on') = (add_on <> '')", name="add_on"),
    )

    kind: Mapped[str]
    add_on: Mapped[str] = mapped_column(default="")
    quantity: Mapped[int] = mapped_column(default=0)


class LicenceHolder(Owned, Base):
    """That a user holds a licence."""

    __tablename__ = "licence_holder"
    __table_args__ = (
        within("licence_id", "licence", ondelete="CASCADE"),
        within("user_id", "user", ondelete="CASCADE"),
        UniqueConstraint("licence_id", "user_id"),
        Index("ix_licence_holder_user", "user_id"),
    )

    licence_id: Mapped[UUID]
    user_id: Mapped[UUID]
