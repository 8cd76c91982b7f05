"""`provisioning cert`: the chains listeners serve, and our own CA."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from provisioning.app.build import open_authority
from provisioning.app.certificates import Listener
from provisioning.cli.options import AsJson, ConfigFile, read_config
from provisioning.crypto.authority import Authority
from provisioning.crypto.chains import (
    ChainFiles,
    ChainKind,
    KeyKind,
    install_chain,
    installed_chain,
    parse_chain,
    read_file,
    remove_chain,
)

app = typer.Typer(name="cert", help="Certificates of the listeners.", no_args_is_help=True)

_Pair = tuple[Path, Path]


@app.command("install")
def install(
    listener: Listener,
    config: ConfigFile = None,
    rsa: Annotated[
        _Pair | None, typer.Option(metavar="CHAIN KEY", help="An RSA chain and its key (PEM).")
    ] = None,
    ecdsa: Annotated[
        _Pair | None, typer.Option(metavar="CHAIN KEY", help="An ECDSA chain and its key (PEM).")
    ] = None,
) -> None:
    """Serve a chain from elsewhere; a running server takes it up on SIGHUP."""
    install_chain(
        open_authority(read_config(config)).folder,
        listener.value,
        now=datetime.now(UTC),
        rsa=ChainFiles(*rsa) if rsa else None,
        ecdsa=ChainFiles(*ecdsa) if ecdsa else None,
    )
    typer.echo(f"Installed for {listener.value}. A running server takes it up on SIGHUP.", err=True)


@app.command("remove")
def remove(listener: Listener, config: ConfigFile = None) -> None:
    """Go back to our own chains."""
    found = remove_chain(open_authority(read_config(config)).folder, listener.value)
    what = "Removed" if found else "Nothing was installed"
    typer.echo(f"{what} for {listener.value}. A running server notices on SIGHUP.", err=True)


@app.command("show")
def show(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """List what each listener serves."""
    authority = open_authority(read_config(config))
    items = [
        {"listener": str(listener), "kind": str(kind), **_described(files)}
        for listener in Listener
        for kind, files in _served(authority, listener)
    ]
    if as_json:
        typer.echo(json.dumps({"ca_fingerprint": authority.fingerprint, "items": items}, indent=2))
        return
    for item in items:
        names = ", ".join(item["names"])
        typer.echo(f"{item['listener']}: {item['kind']}, until {item['not_after']}, for {names}")
        typer.echo(f"    {item['chain']}")
    typer.echo(f"Own CA, SHA-256 {authority.fingerprint}")


def _served(authority: Authority, listener: str) -> Iterator[tuple[ChainKind, ChainFiles]]:
    """What a listener serves; our own chains as they are, since only the server renews them."""
    if installed := installed_chain(authority.folder, listener):
        yield from ((ChainKind.INSTALLED, files) for files in installed.files)
        return
    for key in KeyKind:
        files = ChainFiles.within(authority.folder / "own", key)
        if files.exist():
            yield ChainKind.OWN, files


def _described(files: ChainFiles) -> dict[str, Any]:
    leaf = parse_chain(read_file(files.chain), files.chain)[0]
    return {
        "chain": str(files.chain),
        "not_after": f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        "names": _names(leaf),
        "fingerprint": leaf.fingerprint(SHA256()).hex(":").upper(),
    }


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        named = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [leaf.subject.rfc4514_string()]
    return [str(name.value) for name in named]


@app.command("ca")
def ca(config: ConfigFile = None) -> None:
    """Print our own CA's certificate (PEM), to be given to phones and browsers."""
    typer.echo(open_authority(read_config(config)).ca_pem.decode(), nl=False)
