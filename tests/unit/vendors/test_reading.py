"""Names of parameters with numbers in them, and the faults of ``[readback]`` and ``boot``."""

from __future__ import annotations

import pytest

from provisioning.domain.errors import BadVendorFolder
from provisioning.vendors.load import load_vendor
from provisioning.vendors.reading import parameter

TOML = """
id = "acme"
name = "Acme"
asks = ["one.cfg", "two.cfg"]
"""


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("lang.gui", "lang.gui"),
        ("account.{n}.User", "account.2.user"),
        ("fkey[{k-1}]", "fkey[4]"),
        ("P{k*5+20175}", "p20200"),
        ("P{m*1000+k*5+58995}", "p62020"),
        ("module{m}/{i}", "module3/7"),
    ],
)
def test_numbers_are_put_into_a_parameters_name(pattern, name):
    """Each placeholder is its number, times the factor, plus the summand."""
    assert parameter(pattern, n=2, k=5, m=3, i=7) == name


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('boot = [{ name = "two.cfg", unless = "one.cfg" }]', "depends on 'one.cfg'"),
        ('boot = ["one.cfg", { name = "three" }]', "'three' is neither a file's id nor among asks"),
        ('[[readback.lines]]\nuser = "a{x}"', "'a{x}' holds a brace"),
        ('[[readback.lines]]\nuser = "a"\nservers = { 0 = "a{x}" }', "'a{x}' holds a brace"),
        ('[[readback.lines]]\nuser = "a"\ntexts = { user = "(" }', "mend the expression"),
        ('[[readback.lines]]\nuser = "a"\ntexts = { user = "a" }', "needs the group 'value'"),
        ('[[readback.keys]]\ntype = ["a"]\nafter = "b"', "trait 'b' has no default"),
        ('[[readback.keys]]\ntype = ["a"]\ncodes = { hop = "1" }', "'hop' is no key type"),
        ('[[readback.keys]]\ntype = ["a"]\nlists = { b = { value = "{v}" } }', "holds a brace"),
    ],
)
def test_a_fault_of_boot_or_readback_disables_the_folder(tmp_path, text, fault):
    """A folder whose boot or readback cannot be meant so is refused with what to mend."""
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "vendor.toml").write_text(TOML + text)
    with pytest.raises(BadVendorFolder) as refused:
        load_vendor([folder])
    assert fault in str(refused.value)
