"""`provisioning import` and `provisioning export`: users, devices and contacts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from provisioning.cli.opened import OrganisationName, acting
from provisioning.cli.options import AsJson, ConfigFile
from provisioning.cli.printing import plain, print_item
from provisioning.domain.errors import InvalidInput
from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.store.jobs import ImportJob
from provisioning.usecases.importing import export_sheet, import_cards, import_sheet

app = typer.Typer()

_What = Annotated[SheetKind, typer.Argument(metavar="WHAT", help="users, devices or contacts.")]
_CARDS = (".vcf", ".vcard")
_SHOWN = 50
"""Errors printed."""


@app.command("import")
def import_(
    what: _What,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV or vCard file (UTF-8).")],
    *,
    owner: Annotated[
        str | None, typer.Option(help="Whose own contacts the cards of a .vcf are to be.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check only, write nothing.")] = False,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Import users, devices or contacts from CSV, contacts from vCard too: all rows or none."""
    cards = what == SheetKind.CONTACTS and file.suffix.lower() in _CARDS
    if owner is not None and not cards:
        raise InvalidInput(
            "--owner is for contacts from a .vcf file only.",
            remedy="Write the owner into the column 'owner'.",
        )
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from None
    with acting(config, organisation) as (core, actor):
        if cards:
            job = import_cards(core, actor, content, owner=owner, dry_run=dry_run, progress=_told)
        else:
            job = import_sheet(core, actor, what, content, dry_run=dry_run, progress=_told)
    if as_json:
        print_item(plain(job), as_json=True)
    else:
        _print(job)
    if job.state not in (ImportState.DONE, ImportState.CHECKED):
        raise typer.Exit(1)


def _told(checked: int) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r{checked} rows checked", err=True, nl=False)


def _print(job: ImportJob) -> None:
    for error in job.errors[:_SHOWN]:
        where = f"line {error['line']}" if error["line"] else "all"
        column = f", {error['column']}" if error["column"] else ""
        typer.echo(f"{where}{column}: {error['what']} {error['remedy']}".rstrip(), err=True)
    if job.error_count > _SHOWN:
        typer.echo(f"… and {job.error_count - _SHOWN} more.", err=True)
    typer.echo(
        f"{job.state}: {job.rows} rows, {job.makes} new, {job.changes} changed, "
        f"{job.leaves} as they were, {job.error_count} errors."
    )


@app.command("export")
def export(
    what: _What,
    organisation: OrganisationName = None,
    config: ConfigFile = None,
) -> None:
    """Print the organisation's users, devices or contacts as CSV."""
    with acting(config, organisation) as (core, actor):
        text = export_sheet(core, actor, what)
    sys.stdout.buffer.write(text.encode())
