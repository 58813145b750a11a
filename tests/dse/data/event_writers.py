"""Event files written from the descriptions of their formats, event by event, and archives of them.

An event is (microseconds, column, row, on), in image coordinates.
"""

import io
import struct
import tarfile
import zipfile

import numpy as np

Event = tuple[int, int, int, int]


def random_events(seed: int, edge: int, count: int = 200, last: int = 300_000, first: int = 0) -> list[Event]:
    """Events in order of time, within `edge` rows and columns."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(first, last, count)).tolist()
    places = random.integers(0, edge, (count, 2)).tolist()
    return [(t, x, y, int(on)) for t, (x, y), on in zip(times, places, random.integers(0, 2, count), strict=True)]


def nmnist_bytes(events: list[Event]) -> bytes:
    """40 bits an event: X, Y, one bit of polarity, 23 bits of time."""
    return b"".join((x << 32 | y << 24 | on << 23 | t).to_bytes(5, "big") for t, x, y, on in events)


def aedat2_bytes(events: list[Event]) -> bytes:
    """Comment lines, then 32 bits of address and 32 bits of time, big-endian.

    The camera's axes are exchanged and count from the far end; bit 0 is set for OFF.
    """
    header = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# created by a test\r\n"
    words = [struct.pack(">II", (127 - x) << 8 | (127 - y) << 1 | 1 - on, t) for t, x, y, on in events]
    return header + b"".join(words)


def packet(
    kind: int, words: list[tuple[int, int]], overflow: int = 0, number: int | None = None, size: int = 8
) -> bytes:
    """A packet of AEDAT 3.1: header, then data and time of each event."""
    count = len(words) if number is None else number
    header = struct.pack("<HHIIIIII", kind, 1, size, 4, overflow, count, count, count)
    return header + b"".join(struct.pack("<II", *word) for word in words)


AEDAT3_HEADER = (
    b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#Start-Time: 2016-11-21 (TZ+0000)\r\n#!END-HEADER\r\n"
)


def aedat3_bytes(events: list[Event], each: int = 64) -> bytes:
    """Packets of polarity events, with a packet of special events (type 0) in front, which mean nothing here.

    Times beyond 2^31 are told by the packet's overflow.
    """
    parts = [AEDAT3_HEADER, packet(0, [(0xFFFFFFFF, 5)])]
    for overflow in sorted({t >> 31 for t, *_ in events}):
        later = [event for event in events if event[0] >> 31 == overflow]
        for start in range(0, len(later), each):
            words = [(x << 17 | y << 2 | on << 1 | 1, t & 0x7FFFFFFF) for t, x, y, on in later[start : start + each]]
            parts.append(packet(1, words, overflow))
    return b"".join(parts)


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip file of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    """A gzipped tar file of these members."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def packed(samples: list[list[Event]], labels: list[int]) -> dict[str, np.ndarray]:
    """Arrays of a packed set."""
    t, x, y, p = np.array([event for events in samples for event in events]).T
    offset = np.cumsum([0, *map(len, samples)]).astype(np.int64)
    columns = {"t": t.astype(np.uint32), "x": x.astype(np.uint8), "y": y.astype(np.uint8), "p": p.astype(np.uint8)}
    return {**columns, "offset": offset, "label": np.array(labels, np.uint8)}


def slices_of(events: list[Event], edge: int) -> np.ndarray:
    """The slices of a recording by their definition, event by event."""
    first, last = min(t for t, *_ in events), max(t for t, *_ in events)
    image = np.zeros((2, edge, edge), np.uint8)
    for t, x, y, on in events:
        which = 0
        while (last - first + 1) * (which + 1) <= 8 * (t - first):
            which += 1
        image[on, y, x] |= 1 << which
    return image
