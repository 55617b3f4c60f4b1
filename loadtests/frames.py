"""Frames as bytes, prepared before they are needed, and the little of an answer that a load client has to read.

A page's behaviour is a lap of frames that repeats; only the number of each batch's first event differs from lap to
lap, and it stands at a known place, so a lap is one copy and one write a frame.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final

import msgpack

ACK: Final = 2
GAP: Final = 3
ERROR: Final = 10
BINARY: Final = 0x82
CLOSE: Final = 0x88
GOING_AWAY: Final = bytes((CLOSE, 0x82, 0, 0, 0, 0, 0x03, 0xE9))  # a client's close with code 1001
LENGTH_16: Final = 126
_NUMBER: Final = struct.Struct(">I")

Event = Sequence[Any]  # positional, as in docs/protocol.md: [kind, age_ms, ...]


class BadAnswer(Exception):
    """The server said something that a well-behaved client must never hear."""


def masked(payload: bytes) -> bytes:
    """A client's binary frame; the mask is zero, so the payload stands in it as it is (RFC 6455, section 5)."""
    size = len(payload)
    if size < LENGTH_16:
        return bytes((BINARY, 0x80 | size, 0, 0, 0, 0)) + payload
    return struct.pack(">BBHI", BINARY, 0x80 | LENGTH_16, size, 0) + payload


def hello(site: str, page: str, token: str | None = None, previous: str | None = None) -> bytes:
    """A page's first frame; without a token a first visit's, with one that of the page after `previous`."""
    return masked(msgpack.packb([1, 1, site, token, None, page, previous, "ja"]))


def batch(page: str, first: int, events: Sequence[Event]) -> bytes:
    """A batch whose first number always takes five bytes, so that another can be written over it."""
    name = msgpack.packb(page)
    return masked(b"\x94\x02" + name + b"\xce" + _NUMBER.pack(first) + msgpack.packb(list(events)))


def upgrade(host: str, path: str, origin: str) -> bytes:
    """The request that opens a WebSocket. The key is any 16 bytes; the answer to it is not checked."""
    lines = (
        f"GET {path} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade", f"Origin: {origin}",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


class Lap:
    """One page's frames, `per_frame` events in each, to be sent again and again with growing numbers."""

    def __init__(self, page: str, events: Sequence[Event], per_frame: int) -> None:
        assert len(events) % per_frame == 0, "every frame holds the same number of events"
        parts = [events[at : at + per_frame] for at in range(0, len(events), per_frame)]
        frames = [batch(page, 1, part) for part in parts]
        self.per_frame = per_frame
        self.ends: list[int] = []
        self._places: list[int] = []
        at = 0
        for frame in frames:
            header = 6 if len(frame) - 6 < LENGTH_16 else 8
            self._places.append(at + header + 2 + len(msgpack.packb(page)) + 1)
            at += len(frame)
            self.ends.append(at)
        self._template = b"".join(frames)

    def __len__(self) -> int:
        return len(self.ends)

    def numbered(self, first: int) -> bytes:
        """The lap's frames in one piece, numbered from `first`; frame `i` ends at `ends[i]`."""
        data = bytearray(self._template)
        for place in self._places:
            _NUMBER.pack_into(data, place, first)
            first += self.per_frame
        return bytes(data)


class Acks:
    """Reads the bytes a service sends to one page: the newest number acknowledged, nothing else.

    Raises BadAnswer for a gap, an error or a close: a client that keeps the protocol gets none of them.
    """

    def __init__(self, page: str) -> None:
        self.newest = 0
        self._at = 2 + len(msgpack.packb(page))
        self._rest = b""

    def take(self, data: bytes) -> int:
        """Take what was received; returns the newest number acknowledged so far."""
        if self._rest:
            data = self._rest + data
        at, size = 0, len(data)
        while size - at >= 2:
            start, end = _bounds(data, at)
            if end > size:
                break
            if data[at] == CLOSE:
                raise BadAnswer(repr(data[start:end]))
            if data[at] == BINARY:
                self._message(data, start, end)
            at = end
        self._rest = data[at:]
        return self.newest

    def _message(self, data: bytes, start: int, end: int) -> None:
        kind = data[start + 1]
        if kind in (GAP, ERROR):
            raise BadAnswer(repr(data[start:end]))
        if kind == ACK:
            self.newest = _unsigned(data, start + self._at)


class Echoes:
    """Counts the frames that an echo sent back; `per_frame` numbers each, so that it counts as `Acks` does."""

    def __init__(self, per_frame: int) -> None:
        self.newest = 0
        self._per_frame = per_frame
        self._rest = b""

    def take(self, data: bytes) -> int:
        """Take what was received; returns the newest number that came back."""
        if self._rest:
            data = self._rest + data
        at, size, count = 0, len(data), 0
        while size - at >= 2:
            end = _bounds(data, at)[1]
            if end > size:
                break
            at = end
            count += 1
        self._rest = data[at:]
        self.newest += count * self._per_frame
        return self.newest


def messages(data: bytes) -> tuple[list[list[Any]], bytes]:
    """The whole messages in a server's bytes, and what is left of the last one; pings are passed over.

    Raises BadAnswer for a close.
    """
    found, at = [], 0
    while len(data) - at >= 2:
        start, end = _bounds(data, at)
        if end > len(data):
            break
        if data[at] == CLOSE:
            raise BadAnswer(repr(data[start:end]))
        if data[at] == BINARY:
            found.append(msgpack.unpackb(data[start:end]))
        at = end
    return found, data[at:]


def _bounds(data: bytes, at: int) -> tuple[int, int]:
    """Where the payload of the server's frame at `at` begins and ends; an end past the data if that is incomplete."""
    length = data[at + 1]
    if length < LENGTH_16:
        return at + 2, at + 2 + length
    header = 4 if length == LENGTH_16 else 10
    if len(data) < at + header:
        return at, len(data) + 1
    return at + header, at + header + int.from_bytes(data[at + 2 : at + header], "big")


def _unsigned(data: bytes, at: int) -> int:
    """A msgpack unsigned integer."""
    head = data[at]
    if head < 0x80:
        return head
    width = 1 << (head - 0xCC)
    return int.from_bytes(data[at + 1 : at + 1 + width], "big")
