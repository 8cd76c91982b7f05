"""Many clients at once, and networks that lose packets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
from collections.abc import Iterator

import pytest

from provisioning.doors.tftp.limits import TftpLimits


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough file descriptors for a thousand clients and their server in one process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    if wanted < 3000:
        pytest.skip(f"the process may open {hard} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_thousand_phones_behind_one_address_are_served(serve, shelf, client, descriptors):
    """With the limits as shipped, 1,000 transfers of 2 KB begun at once all arrive whole."""
    files = {f"{number:012x}.cfg": os.urandom(2048) for number in range(1000)}
    shelf.files |= files
    address = await serve(limits=TftpLimits())
    downloads = [
        client.download(address, client.rrq(name, blksize=1024), patience=2) for name in files
    ]
    received = await asyncio.gather(*(download.run() for download in downloads))
    assert received == list(files.values())


@pytest.mark.parametrize("options", [{}, {"blksize": 1024, "windowsize": 4, "tsize": 0}])
async def test_one_packet_in_five_lost_each_way_harms_no_file(serve, shelf, client, options):
    """Forty clients on a network that loses 20 % in both directions get their files whole."""
    shelf.files["some.bin"] = content = os.urandom(8192)
    address = await serve()

    async def boot(seed: int) -> bytes:
        """Fetch the file; like a phone, start over twice if a try came to nothing."""
        request = client.rrq("some.bin", **options)
        for attempt in range(3):
            download = client.download(
                address, request, loss=0.2, seed=seed + 100 * attempt, patience=0.15
            )
            with contextlib.suppress(TimeoutError):
                return await download.run()
        return b""

    received = await asyncio.gather(*(boot(seed) for seed in range(40)))
    assert received == [content] * 40
