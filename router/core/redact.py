"""Card numbers in what people write: found and masked before anything is stored, logged or shown.

A card number is 13 to 19 digits that begin as an issuer's numbers do and pass the Luhn check (ISO/IEC 7812-1), written
in one go or in groups, with any decimal digits of Unicode. It begins and ends where a group does, so a longer number
that only contains one stays. What stays of it are its last four digits; of a number whose beginning stands in earlier
messages nothing stays. Not promised: numbers in words, or with letters in between.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final

MASK: Final = "••••"
KEPT: Final = 4
LENGTHS: Final = (13, 19)
SEPARATORS: Final = 3  # signs between two groups of one number
AROUND: Final = 16  # signs of other text between the halves of a number and the ends of their messages
HALVES: Final = 6  # messages that one number may be spread over

_ISSUERS: Final = (
    # first and last prefix, fewest and most digits
    ("4", "4", 13, 19),  # Visa
    ("51", "55", 16, 16),  # Mastercard
    ("2221", "2720", 16, 16),
    ("34", "34", 15, 15),  # American Express
    ("37", "37", 15, 15),
    ("300", "305", 14, 19),  # Diners Club
    ("3095", "3095", 14, 19),
    ("36", "36", 14, 19),
    ("38", "39", 14, 19),
    ("3528", "3589", 16, 19),  # JCB
    ("2131", "2131", 15, 15),
    ("1800", "1800", 15, 15),
    ("60", "60", 16, 19),  # Discover, RuPay
    ("644", "659", 16, 19),
    ("62", "62", 16, 19),  # UnionPay
    ("8100", "8171", 16, 19),
    ("2200", "2204", 16, 19),  # Mir
    ("50", "50", 13, 19),  # Maestro
    ("56", "58", 13, 19),
    ("63", "63", 13, 19),
    ("67", "67", 13, 19),
)
_BY_DIGIT: Final = {
    digit: [issuer for issuer in _ISSUERS if issuer[0][0] == digit] for digit in "0123456789"
}  # every issuer's prefixes begin with one digit
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_BETWEEN: Final = rf"(?:[\Wー_](?<!•)){{0,{SEPARATORS}}}"
_RUN: Final = re.compile(rf"\d(?:{_BETWEEN}\d)*")
_MAYBE: Final = re.compile(rf"\d(?:{_BETWEEN}\d){{{LENGTHS[0] - 1}}}")
_LONG: Final = re.compile(rf"\d(?:{_BETWEEN}\d){{7,}}")
_GROUP: Final = re.compile(r"\d+")

Groups = list[str]
Window = tuple[int, int]


def redacted(text: str, before: str = "") -> str:
    """The text with every card number masked but for its last four digits: `•••• 1234`.

    `before` is what `tail` says of the author's earlier messages: the rest of a number that began there is masked
    whole. A text without any is the same object.
    """
    if before:
        text = _without_rest(text, before)
    while _MAYBE.search(text):
        masked = _RUN.sub(_masked, text)
        if masked == text:
            break
        text = masked
    return text


def veiled(text: str) -> str:
    """A text that is still being typed, without any number that may become a card number: each from eight digits on."""
    return _LONG.sub(MASK, text)


def tail(texts: Sequence[str]) -> str:
    """The digits with which an author's latest messages (oldest first) end, in groups, as `redacted` wants them."""
    found: list[str] = []
    for text in reversed(texts[-HALVES:]):
        runs = list(_RUN.finditer(text))
        if not runs or len(text) - runs[-1].end() > AROUND:
            break
        found[:0] = _GROUP.findall(runs[-1].group())
        if len(runs) > 1 or runs[0].start() > AROUND:
            break
    return " ".join(found)


# --- what is a card number ---------------------------------------------------------------------------------


def is_card(digits: str) -> bool:
    """Whether ASCII digits are a card number: the length and the prefix of an issuer, and the Luhn check."""
    return (0, len(digits)) in _windows([digits])


def _issued(digits: str, begin: int, count: int) -> bool:
    return any(
        few <= count <= many and first <= digits[begin : begin + len(first)] <= last
        for first, last, few, many in _BY_DIGIT.get(digits[begin], ())
    )


def _windows(groups: Groups) -> Iterator[Window]:
    """(begin, end) of every card number among the groups' digits, as numbers of digits.

    Luhn doubles every second digit from a number's end: both ways of doubling are summed up once, so that each window
    costs two look-ups however long the text is.
    """
    digits = "".join(groups)
    sums = _sums(digits, 0), _sums(digits, 1)
    edges = [0, *accumulate(map(len, groups))]
    for place, begin in enumerate(edges[:-1]):
        for end in edges[place + 1 :]:
            if end - begin > LENGTHS[1]:
                break
            if end - begin < LENGTHS[0]:
                continue
            doubled = sums[end % 2]
            if (doubled[end] - doubled[begin]) % 10 == 0 and _issued(digits, begin, end - begin):
                yield begin, end


def _sums(digits: str, parity: int) -> list[int]:
    """Running Luhn sums in which the digits at places of this parity are doubled."""
    values = (
        _DOUBLED[int(digit)] if place % 2 == parity else int(digit) for place, digit in enumerate(digits)
    )
    return [0, *accumulate(values)]


# --- masking -----------------------------------------------------------------------------------------------


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _masked(run: re.Match[str]) -> str:
    """A run of digits in which every card number's digits but the last four are gone."""
    written = run.group()
    windows = list(_windows([_ascii(group) for group in _GROUP.findall(written)]))
    if not windows:
        return written
    hidden = {digit for begin, end in windows for digit in range(begin, end - KEPT)}
    places = [match.start() for match in re.finditer(r"\d", written)]
    pieces, at, digit = [], 0, 0
    while digit < len(places):
        if digit not in hidden:
            pieces.append(written[at : places[digit] + 1])
            at, digit = places[digit] + 1, digit + 1
            continue
        pieces += (written[at : places[digit]], MASK)
        while digit in hidden:
            digit += 1
        last = "".join(written[place] for place in places[digit : digit + KEPT])
        inside = any(begin <= digit < end for begin, end in windows)
        if inside and not hidden.intersection(range(digit, digit + KEPT)):
            pieces += (" ", _ascii(last))
            digit += len(last)
        elif digit < len(places):
            pieces.append(" ")
        at = places[digit - 1] + 1
    return "".join(pieces) + written[at:]


def _without_rest(text: str, before: str) -> str:
    """The text without the digits that complete a number which began before it."""
    run = _RUN.search(text)
    if run is None or run.start() > AROUND:
        return text
    early = [_ascii(group) for group in before.split()]
    groups = early + [_ascii(group) for group in _GROUP.findall(run.group())]
    known = sum(map(len, early))
    rest = max((end for begin, end in _windows(groups) if begin < known < end), default=known) - known
    if not rest:
        return text
    places = [match.start() for match in re.finditer(r"\d", text)]
    return text[: places[0]] + MASK + text[places[rest - 1] + 1 :]
