"""`provisioning serve`."""

from __future__ import annotations

import typer

from provisioning.cli.options import ConfigFile, read_config
from provisioning.logs import configure_logs

app = typer.Typer()


@app.command("serve")
def serve(config: ConfigFile = None) -> None:
    """Run the server until SIGTERM; SIGHUP re-reads certificates and vendor folders."""
    from provisioning.app import run  # noqa: PLC0415 - a second of imports only serving needs

    settings = read_config(config)
    configure_logs(settings.log_level)
    run.serve(settings)
