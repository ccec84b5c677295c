"""Every example of a hook, in an engine, and held to what hooks promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hooks.choose_winner import NightSettings, NightShift
from hooks.committed import Meter
from hooks.delivered import Refusals
from hooks.doctor import Export, ExportSettings
from hooks.may_send import QuietDays, QuietDaysSettings
from hooks.plugin_failed import Pager
from hooks.prepare_message import Signature, SignatureSettings
from hooks.route import Rota, RotaSettings

from scrmkit import ConsentChanged, Decision, Engine, Message, Propose, Purpose, Refused, VirtualClock
from scrmkit.testing import (
    NOON,
    FakeChannel,
    FakeRule,
    FakeText,
    HooksSuite,
    Observer,
    make_context,
    make_identity,
    make_touchpoint,
)

Make = Callable[..., Engine]


def greeting(text: str = "hello", slot: str | None = None, purpose: Purpose = Purpose.SERVICE) -> Any:
    """A decision to send a text by SMS."""
    message = Message(channel="sms", content=FakeText(text=text), purpose=purpose)
    return Decision(reason="greets", effects=(Propose(message=message, once="hi", slot=slot),))


def write(engine: Engine, key: str = "t1", **more: Any) -> Any:
    """A customer with a phone writes."""
    return engine.record(make_touchpoint(key=key, identities=[make_identity()], **more))


def agree(engine: Engine) -> None:
    """The customer consents to marketing by SMS."""
    engine.record(
        make_touchpoint("consent.granted", ConsentChanged(channel="sms"), key="consent", identities=[make_identity()])
    )


# --- scrmkit_committed ---------------------------------------------------------------------


class TestMeter(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return Meter(make_context())


def test_a_repetition_is_not_counted(make_engine: Make):
    engine = make_engine({"hooks.meter": Meter})

    write(engine, "t1")
    write(engine, "t1")
    write(engine, "t2")

    assert engine.plugins.named("meter").plugin.counts == {"message.received": 2}


# --- scrmkit_delivered ---------------------------------------------------------------------


class TestRefusals(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return Refusals(make_context())


def test_a_refusal_is_counted_by_its_code(make_engine: Make):
    channel = FakeChannel()
    channel.will(Refused(code="TEMPLATE", reason="the template was taken back"))
    rule = FakeRule("message.received", decide=greeting())
    engine = make_engine({"rule.greet": rule, "channel.sms": channel, "hooks.refusals": Refusals})

    write(engine)
    engine.run_once()

    assert engine.plugins.named("refusals").plugin.counts == {("sms", "TEMPLATE"): 1}


# --- scrmkit_plugin_failed -----------------------------------------------------------------


class TestPager(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return Pager(make_context())


def test_a_quarantine_calls_somebody_once(make_engine: Make, caplog: pytest.LogCaptureFixture):
    def break_down(*_: Any) -> Decision:
        raise KeyError("price")

    rule = FakeRule("message.received", decide=break_down)
    engine = make_engine({"rule.prices": rule, "hooks.pager": Pager}, calls={"quarantine_after": 2})

    for number in range(4):
        write(engine, f"t{number}")

    calls = [record.getMessage() for record in caplog.records if record.name == "pager"]
    assert len(calls) == 1
    assert calls[0].startswith("prices is in quarantine after KeyError")
    assert "price" not in calls[0].removeprefix("prices")


# --- scrmkit_choose_winner -----------------------------------------------------------------


class TestNightShift(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return NightShift(make_context(settings=NightSettings(plugin="reminder", start=time(11))))


@pytest.mark.parametrize(
    ("hours", "sent"), [pytest.param(0, "by day", id="at noon"), pytest.param(10, "by night", id="at ten at night")]
)
def test_the_night_has_a_welcome_of_its_own(make_engine: Make, hours: int, sent: str):
    channel = FakeChannel()
    plugins = {
        "rule.day": FakeRule("message.received", decide=greeting("by day", slot="welcome")),
        "rule.night": FakeRule("message.received", decide=greeting("by night", slot="welcome")),
        "channel.sms": channel,
        "hooks.night-shift": NightShift,
    }
    engine = make_engine(
        plugins, options={"night-shift": {"plugin": "night"}}, clock=VirtualClock(NOON + timedelta(hours=hours))
    )

    write(engine)
    engine.run_once()

    assert channel.texts == [sent]


# --- scrmkit_route -------------------------------------------------------------------------


class TestRota(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return Rota(make_context(settings=RotaSettings(guides={"bund": ("ann", "bo")})))


def test_guides_take_turns_by_the_day(make_engine: Make, virtual_clock: VirtualClock):
    observer = Observer()
    engine = make_engine(
        {"hooks.rota": Rota, "hooks.observer": observer}, options={"rota": {"guides": {"bund": ["ann", "bo"]}}}
    )

    for day in range(3):
        write(engine, f"t{day}", shop="bund")
        virtual_clock.advance(timedelta(days=1))

    first, second, third = [touchpoint.guide for touchpoint, _ in observer.committed]
    assert first == third
    assert {first, second} == {"ann", "bo"}


# --- scrmkit_may_send ----------------------------------------------------------------------


class TestQuietDays(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return QuietDays(make_context(settings=QuietDaysSettings(days=(NOON.date(),))))


@pytest.mark.parametrize(
    ("purpose", "sent"),
    [
        pytest.param(Purpose.MARKETING, [], id="marketing does not go"),
        pytest.param(Purpose.TRANSACTIONAL, ["hello"], id="what is owed goes"),
    ],
)
def test_on_a_quiet_day(make_engine: Make, purpose: Purpose, sent: list[str]):
    channel = FakeChannel()
    rule = FakeRule("message.received", decide=greeting(purpose=purpose))
    engine = make_engine(
        {"rule.greet": rule, "channel.sms": channel, "hooks.quiet-days": QuietDays},
        options={"quiet-days": {"days": [NOON.date()]}},
    )

    agree(engine)
    write(engine)
    engine.run_once()

    assert channel.texts == sent


# --- scrmkit_prepare_message ---------------------------------------------------------------


class TestSignature(HooksSuite):
    @pytest.fixture
    def plugin(self) -> Any:
        return Signature(make_context(settings=SignatureSettings(name="半城云")))


def test_a_text_is_signed(make_engine: Make):
    channel = FakeChannel()
    rule = FakeRule("message.received", decide=greeting("hello"))
    engine = make_engine(
        {"rule.greet": rule, "channel.sms": channel, "hooks.signature": Signature},
        options={"signature": {"name": "半城云"}},
    )

    write(engine)
    engine.run_once()

    assert channel.texts == ["hello — 半城云"]


# --- scrmkit_doctor ------------------------------------------------------------------------


class TestExport(HooksSuite):
    @pytest.fixture
    def plugin(self, tmp_path: Path) -> Any:
        return Export(make_context("export", ExportSettings(folder=tmp_path)))


def test_a_folder_that_is_not_there_is_found(tmp_path: Path):
    export = Export(make_context("export", ExportSettings(folder=tmp_path / "gone")))

    (finding,) = export.scrmkit_doctor()

    assert (finding.level, finding.subject) == ("error", "plugins.export")
    assert "mkdir" in finding.next_step
