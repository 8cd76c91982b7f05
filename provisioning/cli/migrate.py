"""`provisioning migrate`."""

from __future__ import annotations

import typer

from provisioning.app.build import open_database
from provisioning.cli.options import ConfigFile, read_config
from provisioning.store import migrate as migrations

app = typer.Typer()


@app.command("migrate")
def migrate(config: ConfigFile = None) -> None:
    """Bring the database to the schema of this version."""
    database = open_database(read_config(config))
    try:
        migrations.migrate(database)
    finally:
        database.close()
    typer.echo(f"The database is at revision {migrations.newest()}.", err=True)
