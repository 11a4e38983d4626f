"""Text files made wrong, reproducibly: numbers, words, lines and blocks, encodings, bombs and nesting without end."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from behaviors_ros.ros.fuzz.seeds import deep, laughs

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_PIECE = re.compile(rb"<[^>]*>|[\[{][^\[\]{}]*[\]}]|\"[^\"]*\"|[^\n]+")
_NUMBERS = (
    b"nan", b"NaN", b".nan", b"inf", b"-.inf", b"1e309", b"-1e30", b"1e-320", b"0", b"-1", b"-0.0", b"", b"abc",
    b"99999999999999999999", b"1e6", b"2147483648", b"null", b"[]", b"true", b"0x10", b"1_000", b"2001-13-99", b"1:60",
)  # fmt: skip
_WORDS = (
    b"", b"null", b"true", b"0", b"[]", b"{}", b"*a", b"&a", b"!!python/object:os.system", b"<x/>", b"..",
    b"x" * 5000,
)  # fmt: skip
_JUNK = (b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\t", b"%", b"\xc3\x28", b"\r", b"]]>", b"<!--", b"---\n", b"@", b"`")


def mutated_text(content: bytes, kind: str, rng: random.Random) -> bytes:
    """The content with one to eight things wrong; rarely a bomb or endless nesting of the kind's syntax instead."""
    chance = rng.random()
    if chance < 0.004 and kind != "json":
        return laughs(kind).encode()
    if chance < 0.008:
        return deep(kind, rng.choice((50, 300, 3000, 100_000))).encode()
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        content = rng.choice(_CHANGES)(content, rng)
    return content


def _replaced(pattern: re.Pattern[bytes], by: tuple[bytes, ...]) -> Callable[[bytes, random.Random], bytes]:
    def change(content: bytes, rng: random.Random) -> bytes:
        found = list(pattern.finditer(content))
        if not found:
            return content
        at = rng.choice(found)
        other = rng.choice(found).group() if rng.random() < 0.3 else rng.choice(by)
        return content[: at.start()] + other + content[at.end() :]

    return change


def _piece(content: bytes, rng: random.Random) -> bytes:
    """A line, tag, list or quotation gone, doubled, or put elsewhere."""
    found = list(_PIECE.finditer(content))
    if not found:
        return content
    at, there = rng.choice(found), rng.choice(found).start()
    change = rng.randrange(3)
    if change == 0:
        return content[: at.start()] + content[at.end() :]
    place = at.end() if change == 1 else there
    return content[:place] + at.group() + content[place:]


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _junk(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(_JUNK) + content[at:]


def _flip(content: bytes, rng: random.Random) -> bytes:
    if not content:
        return content
    at = rng.randrange(len(content))
    return content[:at] + bytes((content[at] ^ 1 << rng.randrange(8),)) + content[at + 1 :]


_number, _word = _replaced(_NUMBER, _NUMBERS), _replaced(_WORD, _WORDS)
_CHANGES = (_number, _number, _number, _number, _word, _word, _piece, _piece, _piece, _cut, _junk, _flip)
