"""How long imports of many rows take; `make bench` prints it."""

from __future__ import annotations

import time

import pytest

from provisioning.domain.kinds import ImportState, SheetKind
from provisioning.usecases import sip
from provisioning.usecases.importing import import_sheet

pytestmark = pytest.mark.bench
FEW, MANY = 1_000, 10_000


def timed(core, actor, kind: SheetKind, text: str) -> float:
    """Seconds an import takes that must succeed."""
    begun = time.perf_counter()
    job = import_sheet(core, actor, kind, text.encode())
    assert job.state == ImportState.DONE, job.errors[:3]
    return time.perf_counter() - begun


def people(first: int, count: int) -> str:
    """A sheet of users, in departments and with a language, without passwords."""
    rows = (
        f"Ada,Lovelace {n},{n},u{n}@example.com,Department {n % 20},de\n"
        for n in range(first, first + count)
    )
    return "first_name,last_name,extension,email,department,language\n" + "".join(rows)


def phones(first: int, count: int) -> str:
    """A sheet of phones, one for each user."""
    rows = (f"001565{n:06x},T54W,Desk {n},{n}\n" for n in range(first, first + count))
    return "mac,model,name,users\n" + "".join(rows)


def test_ten_thousand_rows(core, actor, capsys):
    """Ten thousand users and as many phones go in, and ten times the rows take about ten times."""
    sip.add_server(core, actor, name="main", registrar="pbx.example.com")
    for kind, sheet in ((SheetKind.USERS, people), (SheetKind.DEVICES, phones)):
        few = timed(core, actor, kind, sheet(100_000, FEW))
        many = timed(core, actor, kind, sheet(200_000, MANY))
        with capsys.disabled():
            print(  # noqa: T201 - what a benchmark is for
                f"\n{core.database.engine.dialect.name}: {MANY} {kind} in {many:.1f} s, "
                f"{many / few:.1f} times what {FEW} take"
            )
