"""The clients that admins and boot loaders use."""

from __future__ import annotations

import asyncio
import os

import pytest
from tftpy.TftpClient import TftpClient
from tftpy.TftpShared import TftpFileNotFoundError

CONTENT = os.urandom(50_000)

CLIENTS = {
    "tftp-hpa": "tftp -m octet {host} {port} -c get {name} {out}",
    "tftp-hpa over IPv6": "tftp -6 -m octet ::1 {port6} -c get {name} {out}",
    "atftp": "atftp --get -r {name} -l {out} {host} {port}",
    "atftp with options": (
        "atftp --option 'blksize 1428' --option 'tsize 0' --option 'timeout 2'"
        " --get -r {name} -l {out} {host} {port}"
    ),
    "atftp with a window": "atftp --option 'windowsize 8' --get -r {name} -l {out} {host} {port}",
    "curl": "curl -sSf -o {out} tftp://{host}:{port}/{name}",
    "curl without options": "curl -sSf --tftp-no-options -o {out} tftp://{host}:{port}/{name}",
    "curl with big blocks": ("curl -sSf --tftp-blksize 8192 -o {out} tftp://{host}:{port}/{name}"),
    "busybox": "busybox tftp -g -r {name} -l {out} {host} {port}",
    "busybox with big blocks": "busybox tftp -b 4096 -g -r {name} -l {out} {host} {port}",
}


async def run(program: str, command: str) -> int:
    """Run a client's command line with its program's full path; its exit status."""
    words = command.partition(" ")[2]
    process = await asyncio.create_subprocess_shell(
        f"{program} {words}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(20):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise


@pytest.fixture
async def ports(serve):
    """Where the server listens, in the words of the command lines above."""
    host, port = await serve()
    _host6, port6 = await serve("::1")
    return {"host": host, "port": port, "port6": port6}


@pytest.mark.parametrize("command", CLIENTS.values(), ids=CLIENTS.keys())
async def test_a_real_client_gets_the_file(ports, shelf, client_program, tmp_path, command):
    """The file a client of the field writes is the file that was served."""
    shelf.files["firmware.rom"] = CONTENT
    program = client_program(command.partition(" ")[0])
    out = tmp_path / "out"
    await run(program, command.format(name="firmware.rom", out=out, **ports))
    assert out.read_bytes() == CONTENT


@pytest.mark.parametrize("command", CLIENTS.values(), ids=CLIENTS.keys())
async def test_a_real_client_understands_not_found(ports, client_program, tmp_path, command):
    """A client of the field ends at once, with nothing in its file."""
    program = client_program(command.partition(" ")[0])
    out = tmp_path / "out"
    await run(program, command.format(name="unknown.cfg", out=out, **ports))
    assert not out.exists() or out.read_bytes() == b""


@pytest.mark.parametrize("options", [{}, {"blksize": 1024}, {"blksize": 4096, "tsize": 0}])
async def test_tftpy_gets_the_file(ports, shelf, tmp_path, options):
    """The Python client that other tools build on gets the file."""
    shelf.files["firmware.rom"] = CONTENT
    out = tmp_path / "out"
    client = TftpClient(ports["host"], ports["port"], options)
    await asyncio.to_thread(client.download, "firmware.rom", str(out))
    assert out.read_bytes() == CONTENT


async def test_tftpy_understands_not_found(ports, tmp_path):
    """The Python client reports an unknown file as such."""
    client = TftpClient(ports["host"], ports["port"])
    with pytest.raises(TftpFileNotFoundError):
        await asyncio.to_thread(client.download, "unknown.cfg", str(tmp_path / "out"))


async def test_netascii_survives_a_real_client(ports, shelf, client_program, tmp_path):
    """Text fetched in netascii is again the text that was served."""
    shelf.files["text.cfg"] = b"one\ntwo\rthree\r\nfour\n" * 100
    out = tmp_path / "out"
    command = "tftp -m netascii {host} {port} -c get text.cfg {out}"
    await run(client_program("tftp"), command.format(out=out, **ports))
    assert out.read_bytes() == shelf.files["text.cfg"]


async def test_a_real_client_cannot_write(ports, client_program, tmp_path):
    """An upload is refused and nobody is asked about it."""
    source = tmp_path / "log.txt"
    source.write_text("log")
    command = "curl -sSf -T {source} tftp://{host}:{port}/log.txt"
    status = await run(client_program("curl"), command.format(source=source, **ports))
    assert status != 0
