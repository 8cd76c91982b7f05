"""Where a phone goes, read from what its file says in the vendor's words."""

from __future__ import annotations

import pytest

from provisioning.simulate.following import next_place
from provisioning.simulate.shown import Place
from provisioning.vendors.reading import Readback
from provisioning.vendors.schema import Adopt, VendorData

URL = "https://pbx.example.com:8443/t/token/"


def acme(parameters, schemes=None, urls=()):
    """A vendor that is moved by these parameters."""
    adopt = Adopt(parameters, schemes or {})
    return VendorData("acme", "Acme", adopt=adopt, readback=Readback(urls=urls, empty="-"))


@pytest.mark.parametrize(
    ("vendor", "held", "place"),
    [
        (acme({"Url": "{url}", "U": "{user}"}), {"url": URL, "u": "-"}, Place(URL)),
        (acme({"url": "{url}$MA.xml"}), {"url": f"{URL}$MA.xml"}, Place(URL)),
        (
            acme({"p": "{scheme}", "h": "{hostpath}"}, {"https": "2"}),
            {"p": "2", "h": URL[8:-1]},
            Place(URL),
        ),
        (
            acme({"u": "{scheme}://{userinfo}{hostpath}x"}),
            {"u": "https://a%40b:c@pbx.example.com:8443/t/token/x"},
            Place(URL, "a@b", "c"),
        ),
        (
            acme({}, urls=("https://{host}/{path}/",)),
            {"host": "pbx.example.com:8443", "path": "t/token"},
            Place(URL),
        ),
        (acme({}, urls=("https://{host}/{path}/",)), {"host": "pbx.example.com"}, None),
        (acme({"url": "{url}", "off": "0"}), {"url": "-", "off": "0"}, None),
        (acme({"url": "{url}"}), {}, None),
    ],
)
def test_the_next_place_is_what_the_adoption_wrote(vendor, held, place):
    """A URL, its parts, or nothing at all lead where the template of the parameter says."""
    assert next_place(held, vendor) == place
