"""The load client's frames are frames of the protocol, and it reads from answers what it has to, however they come."""

from __future__ import annotations

import struct

import msgspec
import pytest

from loadtests import frames, mix
from loadtests.frames import Acks, BadAnswer, Echoes, Lap
from router.core import protocol as wire

PAGE = "000000001-testing"
BEFORE = "000000000-testing"


def split(data: bytes) -> list[bytes]:
    """The payloads of masked frames (RFC 6455, section 5.2), unmasked."""
    payloads = []
    while data:
        assert data[0] == 0x82 and data[1] & 0x80
        size, at = data[1] & 0x7F, 2
        if size == 126:
            (size,), at = struct.unpack_from(">H", data, 2), 4
        mask = data[at : at + 4]
        body = data[at + 4 : at + 4 + size]
        payloads.append(bytes(byte ^ mask[index % 4] for index, byte in enumerate(body)))
        data = data[at + 4 + size :]
    return payloads


def said(message: object) -> bytes:
    """A server's frame."""
    payload = wire.encode(message)
    head = bytes((0x82, len(payload))) if len(payload) < 126 else struct.pack(">BBH", 0x82, 126, len(payload))
    return head + payload


class TestSending:
    def test_a_hello_is_a_hello(self) -> None:
        (payload,) = split(frames.hello("demo", PAGE))
        assert wire.decode(payload) == wire.Hello(1, "demo", None, None, PAGE, None, "ja")

    def test_the_next_page_says_whose_it_is_and_what_was_before(self) -> None:
        (payload,) = split(frames.hello("demo", PAGE, "S.demo.someone.signature", BEFORE))
        assert wire.decode(payload) == wire.Hello(
            1, "demo", "S.demo.someone.signature", None, PAGE, BEFORE, "ja"
        )

    @pytest.mark.parametrize("per_frame", [1, 5])
    def test_every_lap_continues_the_numbers_of_the_one_before(self, per_frame: int) -> None:
        lap = Lap(PAGE, mix.session(1), per_frame)
        following = 1
        for begin in (1, 41, 70_001):
            following = begin
            for payload in split(lap.numbered(begin)):
                batch = wire.decode(payload)
                assert isinstance(batch, wire.Batch)
                assert (batch.page, batch.first, len(batch.events)) == (PAGE, following, per_frame)
                following += per_frame
            assert following == begin + mix.EVENTS

    def test_frames_end_where_a_lap_says(self) -> None:
        lap = Lap(PAGE, mix.session(1), 5)
        data, begin = lap.numbered(1), 0
        for end in lap.ends:
            assert len(split(data[begin:end])) == 1
            begin = end
        assert begin == len(data)

    def test_a_frame_of_more_than_125_bytes_says_its_length_in_two(self) -> None:
        payload = bytes(300)
        assert split(frames.masked(payload)) == [payload]

    def test_frames_of_different_sizes_are_not_a_lap(self) -> None:
        with pytest.raises(AssertionError):
            Lap(PAGE, mix.session(1), 7)


class TestAcks:
    @pytest.mark.parametrize("n", [1, 127, 128, 255, 256, 65_535, 65_536, 2**31])
    def test_a_number_of_any_size_is_read(self, n: int) -> None:
        assert Acks(PAGE).take(said(wire.Ack(PAGE, n))) == n

    def test_the_newest_of_several_counts(self) -> None:
        data = b"".join(said(wire.Ack(PAGE, n)) for n in (3, 4, 300))
        assert Acks(PAGE).take(data) == 300

    def test_bytes_may_come_one_by_one(self) -> None:
        acks, data = Acks(PAGE), said(wire.Ack(PAGE, 7)) + said(wire.Ack(PAGE, 1000))
        seen = [acks.take(data[index : index + 1]) for index in range(len(data))]
        assert sorted(set(seen)) == [0, 7, 1000] and seen == sorted(seen)

    def test_other_messages_are_passed_over(self) -> None:
        show = wire.Show("decision-1", "article", {"text": "x" * 500}, 1000)
        assert Acks(PAGE).take(said(show) + said(wire.Ack(PAGE, 9)) + said(show)) == 9

    @pytest.mark.parametrize("message", [wire.Gap(PAGE, 1), wire.Error("bad_frame", "no")])
    def test_what_a_good_client_never_hears_ends_the_run(self, message: object) -> None:
        with pytest.raises(BadAnswer):
            Acks(PAGE).take(said(message))

    def test_pings_are_passed_over(self) -> None:
        ping = bytes((0x89, 0))
        assert Acks(PAGE).take(ping + said(wire.Ack(PAGE, 5)) + ping) == 5
        assert frames.messages(ping + said(wire.Ack(PAGE, 5)) + ping) == ([[2, PAGE, 5]], b"")

    def test_a_close_ends_the_run(self) -> None:
        with pytest.raises(BadAnswer):
            Acks(PAGE).take(bytes((0x88, 2, 0x03, 0xE8)))


def test_echoes_count_frames_also_when_they_come_in_pieces() -> None:
    one, echoes = said(wire.Ack(PAGE, 1)), Echoes(5)
    assert echoes.take(one + one[:4]) == 5
    assert echoes.take(one[4:] + one) == 15


def test_the_mix_is_what_it_says() -> None:
    """Forty valid events a session; one shopper in eight looks at a piece three times."""
    for number in range(16):
        events = mix.session(number)
        assert len(events) == mix.EVENTS
        payload = msgspec.msgpack.encode([2, PAGE, 1, events])
        batch = wire.decode(payload)
        assert isinstance(batch, wire.Batch)
        products = [event[2][0] for event in events if event[0] == 4]
        assert (max(map(products.count, products)) >= 3) is (number % mix.HESITANT == 0)
