"""The rules: one welcome inside its 20 s, and the tags that the entrance names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest

from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.effects import AddTag, Propose, Request
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import StateToken
from scrmkit.domain.kinds import ContactAdded, Nothing
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.organisation import Entrance, Incentive
from scrmkit.domain.profile import TagSource
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import PluginContext
from scrmkit_wecom.bodies import MarkTag, Welcome
from scrmkit_wecom.rules import EntranceTagsRule, EntranceTagsSettings, WelcomeRule, WelcomeSettings, welcome_slot

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
ADDED = Touchpoint(
    kind="contact.added",
    key="d1gest",
    occurred_at=NOON,
    payload=ContactAdded(account="zhangsan", welcome_code="code"),
    identities=(Identity(kind="external_userid", value="wm1", scope="ww1"),),
    source="wecom",
)
ENTRANCE = Entrance(
    token=StateToken("tok"),
    name="the table card",
    tags=(("来源", "桌卡"), ("门店", "一店")),
    welcome="Welcome to shop one",
)


def at(moment: datetime) -> Now:
    return Now(at=moment, counts_at=moment, zone=ZoneInfo("Asia/Shanghai"), chance=Chance(b"0"))


def ask(rule, touchpoint, moment=NOON):
    assert touchpoint.kind in rule.kinds
    assert tuple(rule.needs(touchpoint)) == ()
    return rule.decide(touchpoint, {}, at(moment))


def greeter(clock, text="Hello", channel="wecom") -> WelcomeRule:
    settings = WelcomeSettings(text=text, channel=channel)
    return WelcomeRule(PluginContext(name="greeter", settings=settings, clock=clock))


def tagger(clock, mark_in="") -> EntranceTagsRule:
    settings = EntranceTagsSettings(mark_in=mark_in)
    return EntranceTagsRule(PluginContext(name="tagger", settings=settings, clock=clock))


def greeting(text: str) -> Decision:
    message = Message(
        channel="wecom",
        operation="welcome",
        content=Welcome(welcome_code="code", text=text),
        purpose=Purpose.SERVICE,
        not_after=NOON + timedelta(seconds=20),
    )
    slot = "wecom.welcome/d1gest"
    return Decision(reason="a new contact is greeted", effects=(Propose(message=message, once=slot, slot=slot),))


PROMISE = Incentive(benefit="coupon:20", text="20 yuan off")


@pytest.mark.parametrize(
    ("entrance", "text"),
    [
        pytest.param(None, "Hello", id="no entrance"),
        pytest.param(ENTRANCE, "Welcome to shop one", id="the entrance's own"),
        pytest.param(attrs.evolve(ENTRANCE, welcome=""), "Hello", id="an entrance without one"),
        pytest.param(
            attrs.evolve(ENTRANCE, welcome="", incentive=PROMISE),
            "Hello\n20 yuan off",
            id="with the entrance's promise",
        ),
        pytest.param(
            attrs.evolve(ENTRANCE, welcome="Here are 20 yuan off!", incentive=PROMISE),
            "Here are 20 yuan off!",
            id="with a promise that it makes already",
        ),
    ],
)
def test_a_new_contact_is_greeted(clock, entrance, text):
    assert ask(greeter(clock), attrs.evolve(ADDED, entrance=entrance)) == greeting(text)


def test_a_promise_alone_is_a_welcome(clock):
    entrance = attrs.evolve(ENTRANCE, welcome="", incentive=PROMISE)

    decision = ask(greeter(clock, text=""), attrs.evolve(ADDED, entrance=entrance))

    assert decision == greeting("20 yuan off")


@pytest.mark.parametrize(
    ("passed_s", "code"),
    [pytest.param(19.9, "ok", id="just in time"), pytest.param(20, "too_late", id="the first moment that is too late")],
)
def test_a_welcome_is_proposed_only_inside_its_20_seconds(clock, passed_s, code):
    assert ask(greeter(clock), ADDED, NOON + timedelta(seconds=passed_s)).code == code


@pytest.mark.parametrize(
    ("touchpoint", "code"),
    [
        pytest.param(attrs.evolve(ADDED, payload=ContactAdded(account="u")), "no_code", id="no code"),
        pytest.param(
            attrs.evolve(ADDED, entrance=attrs.evolve(ENTRANCE, welcome="欢" * 1_334)),
            "bad_text",
            id="an entrance's text of 4002 bytes",
        ),
    ],
)
def test_what_cannot_be_greeted_says_why(clock, touchpoint, code):
    decision = ask(greeter(clock), touchpoint)

    assert (decision.code, decision.effects) == (code, ())


def test_without_any_text_there_is_no_welcome(clock):
    assert ask(greeter(clock, text=""), ADDED).code == "no_text"


def test_a_contact_of_another_channel_is_none_of_our_business(clock):
    assert ask(greeter(clock, channel="wecom-south"), ADDED) is None


def test_two_contacts_have_two_slots():
    assert welcome_slot(ADDED) != welcome_slot(attrs.evolve(ADDED, key="other"))


def test_a_default_text_that_the_platform_would_refuse_is_refused_in_the_settings():
    with pytest.raises(InvalidValueError):
        WelcomeSettings(text="a" * 4_001)


TAGGED = (
    AddTag(group="来源", name="桌卡", source=TagSource.SOURCE),
    AddTag(group="门店", name="一店", source=TagSource.SOURCE),
)
SCANNED = attrs.evolve(ADDED, kind="entrance.scanned", payload=Nothing(), entrance=ENTRANCE)
MARK = Request(
    connector="wecom",
    operation="mark_tag",
    body=MarkTag(userid="zhangsan", external_userid="wm1", add_named=ENTRANCE.tags),
    once="mark/d1gest",
)


@pytest.mark.parametrize(
    ("touchpoint", "mark_in", "effects"),
    [
        pytest.param(attrs.evolve(ADDED, entrance=ENTRANCE), "", TAGGED, id="a new contact"),
        pytest.param(SCANNED, "", TAGGED, id="a scan"),
        pytest.param(attrs.evolve(ADDED, entrance=ENTRANCE), "wecom", (*TAGGED, MARK), id="in WeCom too"),
        pytest.param(SCANNED, "wecom", TAGGED, id="a scan has no member to tag for"),
        pytest.param(attrs.evolve(ADDED, entrance=ENTRANCE), "other", TAGGED, id="of another channel"),
    ],
)
def test_who_comes_by_an_entrance_gets_its_tags(clock, touchpoint, mark_in, effects):
    assert ask(tagger(clock, mark_in), touchpoint) == Decision(reason="came in by the table card", effects=effects)


@pytest.mark.parametrize("entrance", [None, attrs.evolve(ENTRANCE, tags=())])
def test_without_tags_there_is_nothing_to_say(clock, entrance):
    assert ask(tagger(clock), attrs.evolve(ADDED, entrance=entrance)) is None
