"""The sending side without sockets, against a receiver and a network made of chance."""

from __future__ import annotations

import random
import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.doors.tftp.contents import MemoryContents
from provisioning.doors.tftp.limits import TftpLimits
from provisioning.doors.tftp.options import Terms
from provisioning.doors.tftp.window import SendWindow

PATIENT = TftpLimits(sends=10_000, unproven_sends=10_000)


def window(content, block=512, size=1, *, oack=False, wait=None, limits=PATIENT):
    """A window over a content."""
    terms = Terms(block, size, wait, {"blksize": str(block)} if oack else {})
    return SendWindow(MemoryContents(content), terms, limits)


def number(packet):
    """The block number of a DATA packet."""
    opcode, block = struct.unpack("!HH", packet[:4])
    assert opcode == 3
    return block


@settings(deadline=None)
@given(
    content=st.binary(max_size=400),
    block=st.sampled_from([8, 16, 50]),
    size=st.integers(1, 16),
    loss=st.floats(0, 0.5),
    seed=st.integers(0, 1000),
)
def test_a_lossy_network_loses_no_byte(content, block, size, loss, seed):
    """Whatever is lost, the receiver ends with the whole content, in order."""
    chance = random.Random(seed)
    sender = window(content, block, size)
    arrived, expected = b"", 1
    packets = sender.begin()
    for _turn in range(5000):
        acks = []
        unsaid = 0
        for packet in packets:
            assert len(packets) <= size
            if chance.random() < loss:
                continue
            if number(packet) == expected:
                arrived += packet[4:]
                expected += 1
                unsaid += 1
            acks = [expected - 1]
        packets = []
        for ack in acks:
            if chance.random() >= loss:
                packets += sender.acknowledge(ack)
        if sender.finished:
            break
        packets = packets or sender.time_out()
    assert sender.finished
    assert arrived == content


@given(st.lists(st.integers(0, 65535), max_size=50), st.booleans())
def test_no_acknowledgement_is_answered_with_more_than_the_window(acks, oack):
    """Numbers at random move the window forward by what is in flight at most, and never raise."""
    sender = window(bytes(5000), 100, 4, oack=oack)
    sender.begin()
    for ack in acks:
        assert len(sender.acknowledge(ack)) <= 4


def test_a_duplicate_acknowledgement_is_not_answered():
    """Only the timer repeats (RFC 1123 section 4.2.3.1)."""
    sender = window(bytes(2000))
    sender.begin()
    assert [number(packet) for packet in sender.acknowledge(1)] == [2]
    assert sender.acknowledge(1) == []
    assert sender.acknowledge(0) == []
    assert [number(packet) for packet in sender.time_out()] == [2]


def test_an_acknowledgement_inside_the_window_starts_behind_it():
    """RFC 7440 section 4: the next window begins with the block after the acknowledged one."""
    sender = window(bytes(10_000), 512, 4, oack=True)
    sender.begin()
    assert [number(packet) for packet in sender.acknowledge(0)] == [1, 2, 3, 4]
    assert [number(packet) for packet in sender.acknowledge(2)] == [3, 4, 5, 6]


def test_the_oack_goes_alone():
    """Before the client has proven itself, one packet is under way, whatever the window."""
    sender = window(bytes(10_000), 512, 16, oack=True)
    (packet,) = sender.begin()
    assert packet[:2] == b"\0\6"
    assert not sender.proven
    assert len(sender.acknowledge(0)) == 16
    assert sender.proven


@pytest.mark.parametrize("oack", [True, False])
def test_sends_are_counted(oack):
    """Four sends before the first acknowledgement, eight of each window after it."""
    sender = window(bytes(2000), oack=oack, limits=TftpLimits())
    sent = [sender.begin()]
    while packets := sender.time_out():
        sent.append(packets)
    assert len(sent) == 4
    sent = [sender.acknowledge(0 if oack else 1)]
    while packets := sender.time_out():
        sent.append(packets)
    assert len(sent) == 8


def waits(sender):
    """The wait after each send until the sender gives up."""
    seen = [sender.wait]
    while sender.time_out():
        seen.append(sender.wait)
    return seen


def test_the_wait_doubles_and_starts_over():
    """Steady at first, then doubling to the longest wait; an acknowledgement sets it back."""
    sender = window(bytes(2000), limits=TftpLimits())
    sender.begin()
    assert waits(sender) == [1, 1, 1, 4]
    sender.acknowledge(1)
    assert waits(sender) == [1, 1, 1, 1, 1, 2, 4, 4]
    sender.acknowledge(2)
    assert sender.wait == 1


def test_the_clients_timeout_is_obeyed():
    """With the timeout option the wait is what the client asked, each time (RFC 2349)."""
    sender = window(bytes(2000), wait=7, limits=TftpLimits())
    sender.begin()
    sender.time_out()
    assert sender.wait == 7


def test_block_numbers_wrap_on_the_wire():
    """After 65,535 comes 0, and the acknowledgement of either is understood."""
    sender = window(bytes(8 * 65_540 + 1), 8)
    numbers = [number(sender.begin()[0])]
    while not sender.finished:
        if packets := sender.acknowledge(numbers[-1]):
            numbers.append(number(packets[0]))
    assert len(numbers) == 65_541
    assert all(later == (earlier + 1) % 65536 for earlier, later in pairwise(numbers))
