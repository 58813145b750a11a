"""Three official formats of event recordings: the 40-bit events of N-MNIST, AEDAT 2.0 and AEDAT 3.1.

Every size that a file claims is compared with the bytes that are there before anything is read by it.
"""

import struct

import numpy as np
from numpy.typing import NDArray

from dse.data.events import Events
from dse.errors import DataError

NMNIST_BYTES = 5
OVERFLOW_ROW = 240  # no event of N-MNIST but a tick of its clock's overflow (gorchard/event-Python, eventvision.py)
OVERFLOW_US = 2**13

AEDAT2_BYTES = 8
LAST = 127  # the last row and column of a DVS128

PACKET = struct.Struct("<HHIIIIII")  # type, source, event bytes, time offset, time overflow, capacity, number, valid
POLARITY_EVENT = 1
AEDAT3_BYTES = 8
OVERFLOW_BITS = 31  # time stamps are signed
HEADER_END = b"#!END-HEADER\r\n"


def decode_nmnist(data: bytes, subject: str) -> Events:
    """A recording of N-MNIST: 5 bytes an event, column, row, then the polarity bit and 23 bits of time.

    Format: "Converting Static Image Datasets to Spiking Neuromorphic Datasets Using Saccades" (G. Orchard et al.,
    Frontiers in Neuroscience 9:437, 2015), data page.

    Raises:
        DataError: truncated.
    """
    raw = _whole(data, NMNIST_BYTES, subject).reshape(-1, NMNIST_BYTES).astype(np.int64)
    ticks = raw[:, 1] == OVERFLOW_ROW
    t = ((raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]) + OVERFLOW_US * np.cumsum(ticks)
    on = raw[:, 2] >> 7
    return Events(t[~ticks], raw[~ticks, 0], raw[~ticks, 1], on[~ticks])


def decode_aedat2(data: bytes, subject: str) -> Events:
    """An AEDAT 2.0 recording of a DVS128: comment lines, then address and time of each event, 32 bits big-endian.

    Address: bit 0 is 1 for OFF, bits 1 to 7 and 8 to 14 are the camera's axes, both counted from the far end and
    exchanged, so that the picture stands upright (as in spikingjelly.datasets.cifar10_dvs).

    Raises:
        DataError: not AEDAT 2.0, or truncated.
    """
    if not data.startswith((b"#!AER-DAT2.0", b"# !AER-DAT2.0")):
        raise DataError(f"{subject} must begin with #!AER-DAT2.0, not {data[:16]!r}")
    start = 0
    while data[start : start + 1] == b"#":
        start = _line_end(data, start, subject)
    words = _whole(data[start:], AEDAT2_BYTES, subject).view(">u4").astype(np.int64).reshape(-1, 2)
    address, t = words[:, 0], words[:, 1]
    return Events(t, LAST - (address >> 8 & LAST), LAST - (address >> 1 & LAST), 1 - (address & 1))


def decode_aedat3(data: bytes, subject: str) -> Events:
    """An AEDAT 3.1 recording: comment lines, then packets of which those with polarity events are read.

    Format: "AEDAT 3.1" (iniVation), and README.txt of the DVS128 Gesture data.

    Raises:
        DataError: not AEDAT 3.1, or a packet claims more than there is.
    """
    start = data.find(HEADER_END) + len(HEADER_END)
    if not data.startswith(b"#!AER-DAT3.1\r\n") or start < len(HEADER_END):
        raise DataError(f"{subject} must have an AEDAT 3.1 header, not {data[:16]!r}")
    packets: list[NDArray[np.int64]] = []
    while start < len(data):
        kind, event_bytes, overflow, number = _packet(data, start, subject)
        start += PACKET.size
        if kind == POLARITY_EVENT:
            words = np.frombuffer(data, "<u4", 2 * number, start).astype(np.int64).reshape(-1, 2)
            words[:, 1] += overflow << OVERFLOW_BITS
            packets.append(words)
        start += event_bytes * number
    word, t = np.concatenate([np.empty((0, 2), np.int64), *packets]).T
    return Events(t, word >> 17 & 0x7FFF, word >> 2 & 0x7FFF, word >> 1 & 1)


def _packet(data: bytes, start: int, subject: str) -> tuple[int, int, int, int]:
    """Type, bytes of an event, time overflow and number of events of the packet at ``start``."""
    if len(data) - start < PACKET.size:
        raise DataError(f"{subject} must end with a packet, not with {len(data) - start} bytes of one (truncated)")
    kind, _, event_bytes, _, overflow, _, number, _ = PACKET.unpack_from(data, start)
    left = len(data) - start - PACKET.size
    if event_bytes * number > left:
        claim = f"{number:,} events of {event_bytes:,} bytes at byte {start:,}"
        raise DataError(f"packet of {subject} must lie within the file, {left:,} bytes more, but claims {claim}")
    if kind == POLARITY_EVENT and event_bytes != AEDAT3_BYTES:
        raise DataError(f"polarity event of {subject} must take {AEDAT3_BYTES} bytes, not {event_bytes:,}")
    if not event_bytes:
        raise DataError(f"event of {subject} must take at least one byte, not 0 (at byte {start:,})")
    return kind, event_bytes, overflow, number


def _line_end(data: bytes, start: int, subject: str) -> int:
    end = data.find(b"\n", start) + 1
    if not end:
        raise DataError(f"{subject} must have events behind its header (truncated)")
    return end


def _whole(data: bytes, size: int, subject: str) -> NDArray[np.uint8]:
    """The bytes, which must be whole events of ``size`` bytes."""
    if len(data) % size:
        raise DataError(f"{subject} must hold whole events of {size} bytes, not {len(data):,} bytes (truncated)")
    return np.frombuffer(data, np.uint8)
