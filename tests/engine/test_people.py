"""Two customers turn out to be one, and sometimes turn out not to be."""

from __future__ import annotations

from typing import Any

import attrs
from engine_people import ANN, BOB, CAT, Make, chat, joins, people, reads
from engine_world import Toy, at, marketing, played, rows, says, scanned, spring, text

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Step
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import ConsentChanged, MessageReceived
from scrmkit.domain.messages import Purpose
from scrmkit.domain.policy import Cap, Policy
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.reads import ActivityOf, Attributes, Consents, Memo, PartsOf, ScoreOf, Tags
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing import FakeChannel, FakeRule, make_order_paid

# --- joining -----------------------------------------------------------------------------


def test_a_touchpoint_with_two_names_makes_two_customers_one(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])

    both = engine.record(joins(3, BOB, ANN))

    assert both.customer == ann.customer
    assert people(engine) == {ann.customer: ann.customer, bob.customer: ann.customer}
    assert engine.record(scanned(4, BOB)).customer == ann.customer


def test_the_older_customer_stays(engine_of: Make):
    engine = engine_of()
    bob, ann = engine.record_many([scanned(2, BOB), scanned(1, ANN)])

    assert engine.record(joins(3, ANN, BOB)).customer == bob.customer
    assert ann.customer is not None
    assert ann.customer > bob.customer


def test_a_new_name_beside_a_known_one_is_the_same_customer(engine_of: Make):
    engine = engine_of()
    ann = engine.record(scanned(1, ANN))
    engine.record(scanned(2, ANN, BOB))

    assert engine.record(scanned(3, BOB)).customer == ann.customer
    assert rows(engine, "merge") == []


def test_two_new_names_are_one_customer(engine_of: Make):
    engine = engine_of()
    both = engine.record(scanned(1, ANN, BOB))

    assert len(people(engine)) == 1
    assert engine.record(scanned(2, BOB)).customer == both.customer


def test_a_named_customer_and_a_name_join_as_well(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])

    both = engine.record(scanned(3, BOB, customer=ann.customer))

    assert both.customer == ann.customer
    assert len(rows(engine, "merge")) == 1
    assert bob.customer in people(engine)


def test_three_join_at_once(engine_of: Make):
    engine = engine_of()
    ann, *_ = engine.record_many([scanned(1, ANN), scanned(2, BOB), scanned(3, CAT)])
    engine.record(scanned(4, ANN, BOB, CAT))

    assert set(people(engine).values()) == {ann.customer}
    assert len(rows(engine, "merge")) == 2


def test_who_was_joined_before_joins_on(engine_of: Make):
    """Merges of merges: everybody ends at the oldest."""
    engine = engine_of()
    ann, _, _ = engine.record_many([scanned(1, ANN), scanned(2, BOB), scanned(3, CAT)])
    engine.record(scanned(4, BOB, CAT))
    engine.record(scanned(5, ANN, CAT))

    assert set(people(engine).values()) == {ann.customer}
    assert {engine.record(scanned(6 + n, one)).customer for n, one in enumerate((ANN, BOB, CAT))} == {ann.customer}


def test_joining_twice_is_joining_once(engine_of: Make):
    engine = engine_of()
    engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    engine.record_many([scanned(3, ANN, BOB), scanned(4, BOB, ANN)])

    assert len(rows(engine, "merge")) == 1


def test_what_follows_in_a_batch_knows_of_the_joining(engine_of: Make):
    rule = reads(Tags)
    tags = FakeRule(
        "entrance.scanned",
        decide=lambda t, known, now: says(e.AddTag(group="seen", name=t.key, source=TagSource.INTERACTION)),
    )
    engine = engine_of({"rule.tags": tags, "rule.reads": rule})

    *_, last = engine.record_many([scanned(1, ANN), scanned(2, BOB), scanned(3, ANN, BOB), chat(4, BOB)])

    assert last.answer is not None
    assert all(f"name='s{n}'" in last.answer["known"][0] for n in (1, 2, 3))


# --- reading the union -------------------------------------------------------------------


def test_tags_attributes_scores_and_consents_are_read_as_one_with_the_newest_word(engine_of: Make):
    def decide(touchpoint: Any, known: Any, now: Any) -> Any:
        who = touchpoint.key
        score = Score(scorer="s", hundredths=len(who), band=who, as_of=touchpoint.occurred_at)
        return says(
            e.SetAttribute(name="last", value=who),
            e.AddTag(group="seen", name=who, source=TagSource.INTERACTION),
            e.AddTag(group="seen", name="both", source=TagSource.INTERACTION)
            if who != "s2"
            else e.RemoveTag(group="seen", name="both"),
            e.SetScore(score=score),
            e.Remember(value={"who": who}),
            e.RecordConsent(channel="*", purpose=Purpose.SERVICE, granted=who == "s1"),
        )

    rule = FakeRule("entrance.scanned", decide=decide)
    reading = reads(Tags, Attributes, Consents, lambda c: ScoreOf(c, "s"), Memo)
    engine = engine_of({"rule.sets": rule, "rule.reads": reading})
    engine.record_many([scanned(1, ANN, minutes=5), scanned(2, BOB, minutes=9)])
    engine.record(joins(3, ANN, BOB))

    outcome = engine.record(chat(4, BOB))

    assert outcome.answer is not None
    tags, attributes, consents, score, memo = outcome.answer["known"]
    # The one who came last, at minute 9, had no such tag.
    assert ["name='s1'" in tags, "name='s2'" in tags, "name='both'" in tags] == [True, True, False]
    assert "'sets.last': 's2'" in attributes
    assert "granted=False" in consents
    assert "band='s2'" in score
    assert memo == "None", "a memo is its own plugin's"


def test_the_newest_word_wins_whoever_said_it(engine_of: Make):
    rule = FakeRule("entrance.scanned", decide=lambda t, known, now: says(e.SetAttribute(name="last", value=t.key)))
    engine = engine_of({"rule.sets": rule, "rule.reads": reads(Attributes)})
    engine.record_many([scanned(1, ANN, minutes=9), scanned(2, BOB, minutes=5)])
    engine.record(scanned(3, ANN, BOB, minutes=1))

    outcome = engine.record(chat(4, BOB))

    assert outcome.answer is not None
    assert "'sets.last': 's1'" in outcome.answer["known"][0]


def test_activities_are_counted_together(engine_of: Make):
    engine = engine_of({"rule.reads": reads(lambda c: ActivityOf(c, "order.paid"))})
    engine.record_many(
        [
            make_order_paid("o1", 100, at=at(1), identities=[ANN]),
            make_order_paid("o2", 20, at=at(2), identities=[BOB]),
            joins(3, ANN, BOB),
            make_order_paid("o3", 3, at=at(3), identities=[BOB]),
        ]
    )

    outcome = engine.record(chat(4, ANN))

    assert outcome.answer is not None
    assert outcome.answer["known"][0].startswith("Activity(count=3, amount_fen=123,")


def test_who_has_joined_is_one_participant(engine_of: Make):
    """Both parts stand, as they were valid; no third one comes."""
    toy = Toy(
        act=lambda i, t, known, now: Step(
            reason="helped",
            state=attrs.evolve(i.state, count=i.state.count + 1),
            effects=(e.Join(role="helper", data={"key": t.key}),),
        )
    )
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    engine.record_many([played(0, phone=9), played(1, phone=1)])
    engine.record(attrs.evolve(played(2), identities=(BOB,)))
    engine.record(joins(3, ANN, BOB))

    ann, bob = (engine.record(attrs.evolve(played(n), identities=(who,)))
                for n, who in ((4, ANN), (5, BOB)))  # fmt: skip

    assert [o.decisions[0].code for o in (ann, bob)] == ["guard", "guard"]
    assert len(rows(engine, "participant")) == 2
    assert len(set(rows(engine, "participant", "person"))) == 1


def test_an_effect_or_a_read_by_an_old_id_is_about_who_that_is_now(engine_of: Make):
    """A mechanic's state may hold the id that a customer had before."""
    old: list[CustomerId] = []
    tag = e.AddTag(group="by", name="old-id", source=TagSource.MANUAL)
    rule = FakeRule(
        "message.received",
        needs=lambda t: [Attributes(old[0]), PartsOf(old[0], "spring", "owner")],
        decide=lambda t, known, now: says(
            attrs.evolve(tag, customer=old[0]),
            e.Propose(message=text(), once="hello", customer=old[0]),
            answer={"known": dict(known[Attributes(old[0])])},
        ),
    )
    sets = FakeRule("entrance.scanned", decide=says(e.SetAttribute(name="a", value=1)))
    engine = engine_of({"rule.old": rule, "rule.sets": sets, "channel.sms": FakeChannel(), "rule.r": reads(Tags)})
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    assert bob.customer is not None
    old.append(bob.customer)
    engine.record(joins(3, ANN, BOB))

    told = engine.record(scanned(4, kind="message.received", payload=MessageReceived()))

    assert told.answers["old"] == {"known": {"sets.a": 1}}
    assert rows(engine, "outgoing", "person") == [(ann.customer,)]
    seen = engine.record(chat(5, ANN)).answer
    assert seen is not None
    assert "old-id" in seen["known"][0]


def test_caps_count_both(engine_of: Make):
    rule = FakeRule("entrance.scanned", decide=lambda t, k, n: says(e.Propose(message=marketing(), once=t.key)))
    policy = Policy(quiet=None, caps=(Cap(purpose=Purpose.MARKETING, limit=1, days=1),), consent=frozenset())
    engine = engine_of({"rule.says": rule, "channel.sms": FakeChannel()}, policy=policy)
    engine.record(scanned(1, ANN))
    engine.record(scanned(2, CAT))
    engine.record(joins(3, ANN, CAT))
    engine.record(scanned(4, CAT))

    assert sorted(rows(engine, "outgoing", "code")) == [("capped",), ("capped",), ("ok",), ("ok",)]


def test_a_consent_that_one_withdrew_both_withdrew(engine_of: Make):
    def consent(number: int, what: str, who: Any) -> Touchpoint[Any]:
        return scanned(number, who, kind=f"consent.{what}", payload=ConsentChanged(channel="*"),
                       minutes=number)  # fmt: skip

    rule = FakeRule("group_chat.joined", decide=says(e.Propose(message=marketing(), once="1")))
    policy = Policy(quiet=None, caps=())
    engine = engine_of({"rule.says": rule, "channel.sms": FakeChannel()}, policy=policy)
    engine.record_many([consent(1, "granted", ANN), consent(2, "withdrawn", BOB), joins(3, ANN, BOB)])
    engine.record(chat(4, ANN))

    assert rows(engine, "outgoing", "code") == [("withdrawn",)]
