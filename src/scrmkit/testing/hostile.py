"""
Texts that break programs, for property tests of what comes from outside.

::

    @given(text=hostile_text())
    def test_a_reply_never_stops_the_channel(text): ...

Every name, remark and message of a platform can be one of these. A plugin may
refuse them with a typed error or take them as they are; it may not raise
anything else, nor cut a character in two.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

HOSTILE_TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\t\r\n",
    "a\x00b",
    "\x1b[31mred\x07",
    "\ufeffwith a byte order mark",
    "\u200b\u200d\u2060",
    "e\u0301\u0323" * 20,
    "👨‍👩‍👧‍👦🏳️‍🌈👍🏽",
    "𠮷野家",
    "\u202egnp.txt\u202c",
    "مرحبا بالعالم",
    "ﷺ" * 50,
    "Ｆｕｌｌ　ｗｉｄｔｈ",
    "İıßẞ",
    "\ud800",
    "ok \udfff ok",
    "x" * 100_000,
    "砍" * 10_000,
    "'; DROP TABLE scrmkit_customer; --",
    "%s %n {0} {name} ${name} #{1}",
    "<b>&amp;</b><script>alert(1)</script>",
    "]]><!ENTITY x SYSTEM 'file:///etc/passwd'>",
    '{"a": [1, "\\ud800"]}',
    "../../etc/passwd",
    "=1+1",
    "NaN",
    "-0",
    "９９",
    "9" * 400,
)
"""One of each kind, for ``pytest.mark.parametrize``."""


def is_storable(text: str) -> bool:
    """Whether a database and a wire can carry *text*: no NUL, no lone surrogate."""
    return "\x00" not in text and not any("\ud800" <= each <= "\udfff" for each in text)


def hostile_text(*, max_size: int | None = None) -> st.SearchStrategy[str]:
    """Texts of all planes, lone surrogates, NUL and overlong ones, at most *max_size* long."""
    known = [text if max_size is None else text[:max_size] for text in HOSTILE_TEXTS]
    drawn = st.text(st.characters(), max_size=200 if max_size is None else min(max_size, 200))
    return st.one_of(st.sampled_from(known), drawn)


def hostile_json() -> st.SearchStrategy[Any]:
    """JSON values of any shape, with hostile texts as their keys and leaves."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        hostile_text(max_size=500),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(hostile_text(max_size=50), inner, max_size=4)
        ),
        max_leaves=8,
    )


def hostile_bytes() -> st.SearchStrategy[bytes]:
    """Bodies of requests: noise, broken UTF-8, JSON and texts of the kinds above."""
    return st.one_of(
        st.binary(max_size=300),
        st.sampled_from([b"\xff\xfe\x00", b"\xed\xa0\x80", b"[" * 10_000, b"{}", b"null"]),
        hostile_text().map(lambda text: text.encode(errors="surrogatepass")),
        hostile_json().map(lambda value: json.dumps(value).encode()),
    )
