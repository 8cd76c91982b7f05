"""`provisioning simulate`: a virtual phone that boots against a running server."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from provisioning.cli.options import AsJson, ConfigFile, read_config
from provisioning.cli.printing import print_json
from provisioning.domain.errors import InvalidInput
from provisioning.domain.mac import Mac
from provisioning.simulate.phone import VirtualPhone
from provisioning.simulate.report import BootReport
from provisioning.vendors.registry import load_registry

app = typer.Typer()


@app.command("simulate")
def simulate(
    vendor: Annotated[str, typer.Argument(metavar="VENDOR", help="The dialect's id.")],
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model of that dialect.")],
    mac: Annotated[str, typer.Argument(metavar="MAC", help="The phone's; - if it has none.")],
    *,
    url: Annotated[str, typer.Option(metavar="URL", help="Its server: http, https or tftp.")],
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CA it trusts from the start, as PEM.")
    ] = None,
    firmware: Annotated[str, typer.Option(metavar="VERSION", help="What it tells of it.")] = "",
    reboots: Annotated[
        int, typer.Option(metavar="N", min=0, max=20, help="Boots after the first one.")
    ] = 0,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Boot a virtual phone against a server, and tell what it asked, got and shows.

    It sends what a real one sends and goes where the files send it. Exits with 1 if the last boot
    had a problem or got no file.
    """
    registry = load_registry(read_config(config).vendor_roots)
    phone = VirtualPhone(
        registry.vendor(vendor),
        registry.model(vendor, model).id,
        None if mac == "-" else Mac.parse(mac),
        url,
        firmware=firmware,
        ca=_read(ca) if ca else "",
    )
    reports = asyncio.run(_boots(phone, reboots))
    if as_json:
        print_json({"items": [_item(report) for report in reports]})
    else:
        typer.echo("\n\n".join("\n".join(_told(report)) for report in reports))
    if reports[-1].problems or not reports[-1].served:
        raise typer.Exit(1)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        raise InvalidInput(
            f"'{path}' cannot be read as PEM.", remedy="Name a file with the CA.", field="ca"
        ) from None


async def _boots(phone: VirtualPhone, reboots: int) -> list[BootReport]:
    return [await phone.boot(), *[await phone.reboot() for _ in range(reboots)]]


def _item(report: BootReport) -> dict[str, Any]:
    """The report for programs; a SIP password is not shown, only whether there is all it takes."""
    item = asdict(report)
    for line, told in zip(report.shown.lines, item["shown"]["lines"], strict=True):
        del told["password"]
        told["can_register"] = line.can_register
    return item


def _told(report: BootReport) -> list[str]:
    screen = report.shown
    return [
        f"Boot at {report.url} as '{report.user_agent}'",
        *(f"  {item.status or '---'} {item.name} ({item.size} bytes)" for item in report.requests),
        *(
            f"  line {line.number}: {line.user} at {line.server} '{line.label or line.display}'"
            + ("" if line.can_register else ", cannot register")
            for line in screen.lines
        ),
        *(
            f"  key {f'{key.module}/' if key.module else ''}{key.position}: {key.type}"
            f" {key.value} '{key.label}'"
            for key in screen.keys
        ),
        *([f"  language: {screen.language}"] if screen.language else []),
        *([f"  idle text: {screen.idle_text}"] if screen.idle_text else []),
        f"  asks next: {report.next_url}",
        *(f"  problem: {problem}" for problem in report.problems),
    ]
