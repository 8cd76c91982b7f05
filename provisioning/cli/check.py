"""`provisioning check`: vendor folders, overrides and golden cases."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from provisioning.cli.options import AsJson, ConfigFile, read_config
from provisioning.cli.printing import print_json
from provisioning.usecases.check import Finding, Severity, accept, check_vendors, write_golden
from provisioning.usecases.checks.concepts import concepts_page
from provisioning.vendors.registry import load_registry

app = typer.Typer()


@app.command("check")
def check(
    golden: Annotated[
        str | None,
        typer.Option(
            "--write-golden", metavar="VENDOR", help="First write what its golden cases render."
        ),
    ] = None,
    accepted: Annotated[
        bool, typer.Option("--accept", help="First note what your overrides are based on.")
    ] = False,
    concepts: Annotated[
        bool, typer.Option("--concepts", help="Only print what each dialect can say.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check all vendor folders; exit with 1 if a finding is an error.

    Golden cases of a vendor you override are written into your own folder.
    """
    registry = load_registry(read_config(config).vendor_roots)
    if concepts:
        typer.echo(concepts_page(registry), nl=False)
        return
    if golden is not None:
        for folder in write_golden(registry.vendor(golden)):
            typer.echo(f"Wrote {folder}.", err=True)
    if accepted:
        typer.echo(f"Accepted {accept(registry.roots)} overrides.", err=True)
    found = check_vendors(registry)
    if as_json:
        print_json({"items": [_item(finding) for finding in found]})
    else:
        for finding in found:
            typer.echo(str(finding))
    if any(finding.level is Severity.ERROR for finding in found):
        raise typer.Exit(1)


def _item(finding: Finding) -> dict[str, Any]:
    return {
        "vendor": finding.vendor,
        "level": str(finding.level),
        "file": str(finding.file),
        "line": finding.line,
        "what": finding.what,
        "when": finding.when,
        "remedy": finding.remedy,
    }
