"""Sessions, the allowance of ERROR packets, and what an option may be."""

from __future__ import annotations

import resource
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.doors.sources import source_of
from provisioning.doors.tftp.limits import (
    ErrorAllowance,
    Sessions,
    TftpLimits,
    affordable_sessions,
)
from provisioning.doors.tftp.options import negotiate
from provisioning.doors.tftp.packets import ReadRequest

HERE, THERE = ip_address("192.0.2.1"), ip_address("192.0.2.2")


def test_a_source_is_an_address_or_a_64():
    """IPv6 hosts choose their last 64 bits freely, so those do not count."""
    assert source_of(HERE) != source_of(THERE)
    one, two = ip_address("2001:db8::1"), ip_address("2001:db8::ffff:2")
    assert source_of(one) == source_of(two) != source_of(ip_address("2001:db8:0:1::1"))


def test_sessions_are_capped_by_source_and_in_all():
    """A full source does not fill the server; a closed session makes room."""
    sessions = Sessions(total=3, per_source=2)
    assert [sessions.admit(HERE) for _ in range(3)] == [True, True, False]
    assert [sessions.admit(THERE) for _ in range(2)] == [True, False]
    sessions.leave(HERE)
    assert sessions.admit(THERE)
    assert sessions.count == 3


def test_error_packets_are_refilled_by_time():
    """A burst, then the rate; each source has its own."""
    allowance = ErrorAllowance(per_second=2, burst=3)
    assert [allowance.take(HERE, 10.0) for _ in range(4)] == [True, True, True, False]
    assert allowance.take(THERE, 10.0)
    assert [allowance.take(HERE, 10.5) for _ in range(2)] == [True, False]
    assert [allowance.take(HERE, 99.0) for _ in range(4)] == [True, True, True, False]


def test_allowances_are_bounded_in_memory():
    """A forged source in every packet does not fill the memory."""
    allowance = ErrorAllowance(per_second=1, burst=1)
    for number in range(10_500):
        allowance.take(ip_address(number), 0.0)
    assert len(allowance._buckets) == 10_000


@pytest.mark.parametrize(
    ("soft", "sessions"), [(20_000, 4096), (1024, 384), (64, 16), (resource.RLIM_INFINITY, 4096)]
)
def test_sessions_fit_the_descriptors(monkeypatch, soft, sessions):
    """A socket and a file for each session, and some kept back for the other doors."""
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (soft, soft))
    assert affordable_sessions(4096) == sessions


@given(
    st.dictionaries(
        st.sampled_from(["blksize", "tsize", "timeout", "windowsize", "other"]),
        st.integers(-10, 10**12).map(str) | st.text(max_size=8),
    )
)
def test_no_option_value_breaks_the_negotiation(options):
    """Any text is an option's value; what is granted was asked and lies in its RFC's range."""
    limits = TftpLimits()
    request = ReadRequest("x", "octet", options, {name: name for name in options})
    terms = negotiate(request, limits, 1000)
    assert terms.acknowledged.keys() <= options.keys() - {"other"}
    assert 8 <= terms.block_size <= limits.largest_block
    assert 1 <= terms.window_size <= limits.largest_window
    assert terms.wait is None or 1 <= terms.wait <= limits.longest_asked_wait
