"""Categories, their options and who is in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from provisioning.domain.roles import Permission
from provisioning.doors.http.api.models import Input, Listing, Shown, Text, absent, listing, whole
from provisioning.doors.http.api.registry import Call, Endpoints
from provisioning.usecases import categories as usecases
from provisioning.usecases.pages import Page

ENDPOINTS = Endpoints()


class CategoryOption(Shown):
    """A group of a category, for example the department Sales."""

    id: UUID
    name: str
    users: int
    """How many are in it."""
    revision: int


class Category(Shown):
    """A way to group users."""

    id: UUID
    name: str
    built_in: bool
    """Whether it is the department, which every organisation has and which drives keys."""
    options: list[CategoryOption]
    revision: int


class NewCategory(Input):
    """A category to make."""

    name: Text


class CategoryChange(Input):
    """What can be changed of a category."""

    name: Text = absent()


class NewOption(Input):
    """An option to make."""

    name: Text


class OptionChange(Input):
    """What can be changed of an option."""

    name: Text = absent()


class NewMembers(Input):
    """Users to put into an option; those who are in it already stay."""

    users: Annotated[list[UUID], Field(max_length=usecases.MOST_USERS)]


class NewUserOptions(Input):
    """The options a user is to be in, at most one of each category."""

    options: Annotated[list[UUID], Field(max_length=100)]


class UserOption(Shown):
    """An option a user is in."""

    id: UUID
    category_id: UUID
    name: str


@ENDPOINTS.get("/categories", Permission.READ)
def list_categories(call: Call, page: Page) -> Listing[Category]:
    """The organisation's categories with their options."""
    return listing(usecases.list_categories(call.core, call.actor, page), page, _category)


@ENDPOINTS.post("/categories", Permission.WRITE)
def add_category(call: Call, body: NewCategory) -> Category:
    """Make a category."""
    return _category(usecases.add_category(call.core, call.actor, body.name))


@ENDPOINTS.get("/categories/{category}", Permission.READ)
def read_category(call: Call, category: UUID) -> Category:
    """One category with its options."""
    return _category(usecases.read_category(call.core, call.actor, category))


@ENDPOINTS.patch("/categories/{category}", Permission.WRITE)
def change_category(
    call: Call, category: UUID, body: CategoryChange, revision: int | None = None
) -> Category:
    """Rename a category."""
    return _category(
        usecases.change_category(call.core, call.actor, category, body.sent(), revision)
    )


@ENDPOINTS.delete("/categories/{category}", Permission.WRITE, dry_run=True)
def delete_category(
    call: Call, category: UUID, confirm: bool = False, revision: int | None = None
) -> None:
    """Delete a category with its options; without `confirm` only what goes is told."""
    usecases.delete_category(
        call.core, call.actor, category, revision, confirm=confirm or call.trying
    )


@ENDPOINTS.get("/categories/{category}/options", Permission.READ)
def list_options(call: Call, category: UUID) -> Listing[CategoryOption]:
    """The options of a category, by name."""
    return whole(map(_option, usecases.read_category(call.core, call.actor, category).options))


@ENDPOINTS.post("/categories/{category}/options", Permission.WRITE)
def add_option(call: Call, category: UUID, body: NewOption) -> CategoryOption:
    """Make an option of a category."""
    return _option(usecases.add_option(call.core, call.actor, category, body.name))


@ENDPOINTS.get("/categories/{category}/options/{option}", Permission.READ)
def read_option(call: Call, category: UUID, option: UUID) -> CategoryOption:
    """One option."""
    return _option(usecases.read_option(call.core, call.actor, category, option))


@ENDPOINTS.patch("/categories/{category}/options/{option}", Permission.WRITE)
def change_option(
    call: Call, category: UUID, option: UUID, body: OptionChange, revision: int | None = None
) -> CategoryOption:
    """Rename an option; its users stay in it."""
    return _option(
        usecases.change_option(
            call.core, call.actor, category, option, body.sent(), revision=revision
        )
    )


@ENDPOINTS.delete("/categories/{category}/options/{option}", Permission.WRITE, dry_run=True)
def delete_option(
    call: Call, category: UUID, option: UUID, confirm: bool = False, revision: int | None = None
) -> None:
    """Delete an option; `confirm` deletes the keys that stand for its people too."""
    usecases.delete_option(
        call.core, call.actor, category, option, revision, confirm=confirm or call.trying
    )


@ENDPOINTS.put("/categories/{category}/options/{option}/users", Permission.WRITE)
def put_users(call: Call, category: UUID, option: UUID, body: NewMembers) -> CategoryOption:
    """Put users into an option; they leave the category's other options."""
    return _option(usecases.put_users(call.core, call.actor, category, option, body.users))


@ENDPOINTS.get("/users/{user}/options", Permission.READ)
def list_user_options(call: Call, user: UUID) -> Listing[UserOption]:
    """The options a user is in."""
    return whole(map(UserOption.of, usecases.user_options(call.core, call.actor, user)))


@ENDPOINTS.put("/users/{user}/options", Permission.WRITE, listed=True)
def set_user_options(call: Call, user: UUID, body: NewUserOptions) -> Listing[UserOption]:
    """Make these the options a user is in."""
    rows = usecases.set_user_options(call.core, call.actor, user, body.options)
    return whole(map(UserOption.of, rows))


def _category(grouping: usecases.Grouping) -> Category:
    return Category.of(grouping.row, options=[_option(group) for group in grouping.options])


def _option(group: usecases.Group) -> CategoryOption:
    return CategoryOption.of(group.row, users=group.users)
