"""What expressions about tags, attributes, consents and scores mean, in memory and in SQL."""

from __future__ import annotations

from typing import Any

import pytest
from segment_makers import (
    DAY,
    EQUAL,
    INSTANT,
    LEAST,
    LESS,
    MORE,
    OTHER,
    PART_OF_G,
    SEEN,
    VIP,
    check_meaning,
    may,
    same_person,
    scored,
    size,
    tagged,
    untagged,
)
from segment_world import NOW, note

from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit_audience.expressions import And, Expression, HasAttribute, HasTag, Not, Or, ScoreIs, StageIs

CASES = {
    "and of nothing is true of everybody": ([SEEN], And(), True),
    "or of nothing is true of nobody": ([SEEN], Or(), False),
    "and wants all": ([tagged(1, NOW)], And((VIP, PART_OF_G, HasTag(group="h"))), False),
    "or wants one": ([tagged(1, NOW)], Or((HasTag(group="h"), VIP)), True),
    # tags
    "a tag that is there": ([tagged(1, NOW)], VIP, True),
    "any tag of a group": ([tagged(1, NOW)], PART_OF_G, True),
    "a tag of that name in another group": ([tagged(1, NOW)], HasTag(group="h", name="vip"), False),
    "a tag that nobody gave is false": ([SEEN], VIP, False),
    "not, of a tag that nobody gave, is true": ([SEEN], Not(VIP), True),
    "a tag that was taken away": ([tagged(1, NOW - DAY), untagged(2, NOW)], VIP, False),
    "a late word of an earlier moment loses": ([untagged(2, NOW), tagged(1, NOW - DAY)], VIP, False),
    "of two words of one moment the greater key wins": ([untagged(2, NOW), tagged(10, NOW)], VIP, False),
    "a tag before it expires": ([tagged(1, NOW - DAY + INSTANT, 1)], VIP, True),
    "a tag at the moment it expires": ([tagged(1, NOW - DAY, 1)], VIP, False),
    "a newer word without expiry": ([tagged(1, NOW - 2 * DAY, 1), tagged(2, NOW - DAY)], VIP, True),
    "an expired word hides an older one of a merged customer": (
        [tagged(1, NOW - 3 * DAY), tagged(2, NOW - 2 * DAY, 1, who=2), same_person(3, 1, 2)],
        VIP,
        False,
    ),
    "a removal by a merged customer": (
        [tagged(1, NOW - DAY), untagged(2, NOW, who=2), same_person(3, 1, 2)],
        VIP,
        False,
    ),
    "of merged words of one moment the greater key wins": (
        [untagged(2, NOW), tagged(10, NOW, who=2), same_person(3, 1, 2)],
        VIP,
        False,
    ),
    # attributes
    "a number above": ([note(1, [1], NOW, size=3)], size(MORE, 2), True),
    "a number with a fraction above": ([note(1, [1], NOW, size=2.5)], size(MORE, 2), True),
    "a negative number below": ([note(1, [1], NOW, size=-3)], size(LESS, 0), True),
    "a whole number equals one with a zero": ([note(1, [1], NOW, size=10)], size(EQUAL, 10.0), True),
    "a hundred is above nine": ([note(1, [1], NOW, size=100)], size(MORE, 9), True),
    "a text that is equal": ([note(1, [1], NOW, size='中"号')], size(EQUAL, '中"号'), True),
    "another text": ([note(1, [1], NOW, size="M")], size(OTHER, "L"), True),
    "a truth value": ([note(1, [1], NOW, size=True)], size(EQUAL, True), True),
    "a truth value is no number": ([note(1, [1], NOW, size=True)], size(EQUAL, 1), False),
    "a text is no number": ([note(1, [1], NOW, size="3")], size(EQUAL, 3), False),
    "a text is not even different from a number": ([note(1, [1], NOW, size="3")], size(OTHER, 3), False),
    "a value that nobody set differs from none": ([SEEN], size(OTHER, 3), False),
    "not, of a value that nobody set, is true": ([SEEN], Not(size(EQUAL, 3)), True),
    "a value of None is none": ([note(1, [1], NOW, size=None)], HasAttribute(name="note.size"), False),
    "any value": ([note(1, [1], NOW, size=0)], HasAttribute(name="note.size"), True),
    "the newest value, though None": (
        [note(1, [1], NOW - DAY, size=3), note(2, [1], NOW, size=None)],
        size(EQUAL, 3),
        False,
    ),
    # consents
    "a consent": ([note(1, [1], NOW, consent=["sms", "marketing", True])], may("sms"), True),
    "a consent to every channel": ([note(1, [1], NOW, consent=["*", "marketing", True])], may("sms"), True),
    "a consent to another purpose": ([note(1, [1], NOW, consent=["sms", "service", True])], may("sms"), False),
    "a refusal of every channel wins": (
        [note(1, [1], NOW, consent=["*", "marketing", False]), note(2, [1], NOW, consent=["sms", "marketing", True])],
        may("sms"),
        False,
    ),
    "a consent that was withdrawn": (
        [
            note(1, [1], NOW - DAY, consent=["sms", "marketing", True]),
            note(2, [1], NOW, consent=["sms", "marketing", False]),
        ],
        may("sms", granted=False),
        True,
    ),
    "who never spoke has not withdrawn": ([SEEN], may("sms", granted=False), False),
    "who never spoke has not consented": ([SEEN], may("sms"), False),
    # scores
    "a score above": (
        [scored(1, NOW, 6000, "A", "", "")],
        ScoreIs(scorer="value", comparison=LEAST, hundredths=6000),
        True,
    ),
    "a band and a segment": (
        [scored(1, NOW, 1, "A", "555", "")],
        ScoreIs(scorer="value", bands=("A", "S"), segments=("555",)),
        True,
    ),
    "the band alone is not enough": (
        [scored(1, NOW, 1, "A", "111", "")],
        ScoreIs(scorer="value", bands=("A",), segments=("555",)),
        False,
    ),
    "a score of another scorer": ([scored(1, NOW, 1, "A", "", "")], ScoreIs(scorer="rfm", bands=("A",)), False),
    "the newest score over merged customers": (
        [scored(1, NOW, 1, "A", "", ""), scored(2, NOW - DAY, 9, "B", "", "", who=2), same_person(3, 1, 2)],
        ScoreIs(scorer="value", bands=("B",)),
        False,
    ),
    "any score at all": ([scored(1, NOW, 0, "none", "", "")], ScoreIs(scorer="value"), True),
    "a stage": ([scored(1, NOW, 1, "A", "", "loyal")], StageIs(stages=("new", "loyal")), True),
    "no stage": ([SEEN], StageIs(stages=("new",)), False),
}


@pytest.mark.parametrize(
    ("history", "expression", "is_in"), [pytest.param(*case, id=words) for words, case in CASES.items()]
)
def test_a_word_means(engine: Engine, history: list[Touchpoint[Any]], expression: Expression, is_in: bool):
    check_meaning(engine, history, expression, is_in)
