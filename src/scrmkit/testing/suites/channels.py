"""The suite of channels: connectors that address customers, and are called back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations, permutations
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.domain.identity import CORE_IDENTITY_KINDS, Identity
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import CallbackRejectedError
from scrmkit.protocols import CallbackRequest, Inbound
from scrmkit.testing.hostile import HOSTILE_TEXTS
from scrmkit.testing.suites.base import check, wanted
from scrmkit.testing.suites.connectors import OUTCOMES, ConnectorSuite
from scrmkit.testing.suites.values import personal_texts, shown, snapshot, storing_problem

_STRANGER = Identity(kind="acme_userid", value="nobody-knows-this", scope="acme")


class ChannelSuite(ConnectorSuite):
    """
    What every channel keeps, beside all that connectors do.

    Make the channel with the clock of the fixture ``virtual_clock``.
    """

    family: ClassVar[str] = "channel"

    @pytest.fixture
    def channel(self) -> Any:
        """Override: your channel, talking to a fake platform."""
        wanted("channel", "return an object of your plugin that talks to a fake platform")

    @pytest.fixture
    def connector(self, channel: Any) -> Any:
        """The channel, as the connector that it is."""
        return channel

    @pytest.fixture
    def customers(self) -> Sequence[Sequence[Identity]]:
        """Override: the identities of some customers whom the channel reaches."""
        wanted("customers", "return the identities of some customers whom the channel reaches")

    @pytest.fixture
    def addresses(self, channel: Any, customers: Sequence[Sequence[Identity]]) -> Sequence[Identity | None]:
        """Where the channel reaches the customers."""
        return [channel.reach(tuple(identities)) for identities in customers]

    @pytest.fixture
    def callbacks(self) -> Sequence[CallbackRequest]:
        """Override: authentic callbacks of different events; none where there are none."""
        wanted("callbacks", "return authentic callbacks, one for each kind of event at least")

    @pytest.fixture
    def received(self, channel: Any, callbacks: Sequence[CallbackRequest]) -> Sequence[tuple[CallbackRequest, Inbound]]:
        """Each callback with what the channel makes of it."""
        return [(request, channel.receive(request)) for request in callbacks]

    @pytest.fixture
    def touchpoints(self, received: Sequence[tuple[CallbackRequest, Inbound]]) -> Sequence[Touchpoint[Any]]:
        """All touchpoints of all callbacks."""
        return [touchpoint for _, inbound in received for touchpoint in inbound.touchpoints]

    # --- reaching ------------------------------------------------------------------------

    @check(broken="channels:ReachesNobodyNew")
    def test_it_reaches_its_customers_and_nobody_else(
        self, channel: Any, customers: Sequence[Sequence[Identity]]
    ) -> None:
        """The example customers can be reached; who has no identity, or only a strange one, not."""
        for identities in customers:
            assert channel.reach((*identities, _STRANGER)) is not None, (
                "reach() returned None for an example customer: it must find the identity that "
                "this channel writes to among others"
            )
        assert channel.reach(()) is None, "reach() of nothing is None"
        assert channel.reach((_STRANGER,)) is None, "reach() of an unknown kind is None"

    @check(broken="channels:MakesAddressesUp")
    def test_it_writes_only_to_what_it_was_given(self, channel: Any, customers: Sequence[Sequence[Identity]]) -> None:
        """The address is one of the identities, unchanged: suppressions and reports name it."""
        for given in _mixed(customers):
            found = channel.reach(given)
            assert found is None or found in given, (
                "reach() returned an identity that it was not given: choose one, and leave rewriting to send()"
            )

    @check(broken="channels:TakesTurns")
    def test_reaching_is_pure(self, channel: Any, customers: Sequence[Sequence[Identity]]) -> None:
        """Equal identities lead to equal addresses, at planning and at sending."""
        for given in _mixed(customers):
            found = [channel.reach(given) for _ in range(3)]
            assert found == [found[0]] * 3, "reach() answers otherwise when it is asked again"

    # --- receiving -----------------------------------------------------------------------

    @check(broken="channels:BelievesAnybody")
    def test_garbage_is_rejected(self, channel: Any) -> None:
        """What no platform sent is a CallbackRejectedError."""
        for request in _garbage():
            assert _received(channel, request) == "rejected", (
                f"a {request.method} with a body of {len(request.body)} bytes and no signature "
                "was not rejected: raise CallbackRejectedError for what is not authentic"
            )

    @check(broken="channels:StumblesOverHalfACallback")
    def test_a_damaged_callback_is_read_or_rejected(self, channel: Any, callbacks: Sequence[CallbackRequest]) -> None:
        """No other exception: the platform would call again and again."""
        for request in callbacks:
            for damage, damaged in _damaged(request):
                told = _received(channel, damaged)
                assert told in ("read", "rejected"), (
                    f"receive() raised {told} for a callback {damage}: raise "
                    "CallbackRejectedError for what cannot be read"
                )

    @check(broken="channels:RejectsInDetail")
    def test_rejections_show_nothing_personal(
        self,
        channel: Any,
        callbacks: Sequence[CallbackRequest],
        touchpoints: Sequence[Touchpoint[Any]],
        secrets: frozenset[str],
    ) -> None:
        """The text of the error is logged."""
        hidden = secrets | personal_texts(touchpoints)
        for request in callbacks:
            for damage, damaged in _damaged(request):
                told = _rejection(channel, damaged)
                assert shown(told, hidden) == [], (
                    f"the rejection of a callback {damage} shows what was in it: say which check "
                    "failed, and nothing of the values"
                )

    @check(broken="channels:CountsCallbacks")
    def test_the_same_callback_means_the_same(
        self, channel: Any, received: Sequence[tuple[CallbackRequest, Inbound]], virtual_clock: VirtualClock
    ) -> None:
        """A platform that calls twice, seconds apart, tells of one event with one key."""
        virtual_clock.advance(timedelta(seconds=7))
        for request, first in received:
            again = channel.receive(request)
            assert [one.key for one in again.touchpoints] == [one.key for one in first.touchpoints], (
                "the same callback made another key: derive it from the event, not from the call"
            )
            assert again.touchpoints == first.touchpoints, "the same callback made other touchpoints"
            assert again.reports == first.reports, "the same callback made other reports"

    @check(broken="channels:HasOneKey")
    def test_different_events_have_different_keys(self, touchpoints: Sequence[Touchpoint[Any]]) -> None:
        """Two events of one kind with one key are recorded as one."""
        keys = [(touchpoint.kind, touchpoint.key) for touchpoint in touchpoints]
        doubles = sorted({kind for kind, key in keys if keys.count((kind, key)) > 1})
        assert doubles == [], "two different callbacks made one key; the key holds too little"

    @check(broken="channels:MakesKindsUp")
    def test_touchpoints_are_of_registered_kinds(self, channel: Any, touchpoints: Sequence[Touchpoint[Any]]) -> None:
        """Their kinds, payloads and identities are the core's, or registered by the plugin."""
        kinds = {kind.name: kind for kind in (*CORE_KINDS, *getattr(channel, "touchpoint_kinds", ()))}
        people = CORE_IDENTITY_KINDS.union(getattr(channel, "identity_kinds", ()))
        for touchpoint in touchpoints:
            assert touchpoint.kind in kinds, "register this kind in touchpoint_kinds"
            wants = kinds[touchpoint.kind].payload
            assert isinstance(touchpoint.payload, wants), f"{touchpoint.kind} takes a {wants.__name__}"
            strange = {one.kind for one in touchpoint.identities} - people
            assert strange == set(), "register these in identity_kinds"

    @check(broken="channels:WritesPhonesIntoKeys")
    def test_keys_hold_nothing_personal(self, touchpoints: Sequence[Touchpoint[Any]], secrets: frozenset[str]) -> None:
        """Keys outlive an erasure: put a digest where the phone would stand."""
        hidden = secrets | personal_texts(touchpoints)
        for touchpoint in touchpoints:
            assert shown(touchpoint.key, hidden) == [], (
                f"the key of {touchpoint.kind} holds a personal value: use a digest of it"
            )

    @check(broken="channels:ShowsNames")
    def test_payloads_show_nothing_personal(
        self, touchpoints: Sequence[Touchpoint[Any]], secrets: frozenset[str]
    ) -> None:
        """The repr of a payload lands in logs and errors."""
        hidden = secrets | personal_texts(touchpoints)
        for touchpoint in touchpoints:
            assert shown(repr(touchpoint.payload), hidden) == [], (
                f"the payload of {touchpoint.kind} shows a personal value: make the field with "
                "scrmkit.domain.identity.personal()"
            )

    @check(broken="channels:BringsALock")
    def test_payloads_can_be_stored(self, touchpoints: Sequence[Touchpoint[Any]]) -> None:
        """A payload is kept as JSON, and comes back equal."""
        for touchpoint in touchpoints:
            problem = storing_problem(touchpoint.payload, type(touchpoint.payload))
            assert problem is None, f"the payload of {touchpoint.kind} is not kept: {problem}"

    @check(broken="channels:ReportsOnNothing")
    def test_reports_say_what_they_are_about(self, received: Sequence[tuple[CallbackRequest, Inbound]]) -> None:
        """A report names our key or the platform's, and has a typed outcome."""
        for _, inbound in received:
            for report in inbound.reports:
                assert report.key or report.provider_id, "give the report a key or a provider_id"
                assert isinstance(report.outcome, OUTCOMES), "give the report a typed outcome"

    @check(broken="channels:AnswersByItself")
    def test_receiving_does_nothing(
        self, channel: Any, callbacks: Sequence[CallbackRequest], platform_state: Callable[[], Any]
    ) -> None:
        """``receive`` reads and calls nobody: what is to be done is decided later."""
        before = snapshot(platform_state())
        for request in callbacks:
            channel.receive(request)
        assert snapshot(platform_state()) == before, "receive() changed something at the platform"


def _mixed(customers: Sequence[Sequence[Identity]]) -> Iterator[tuple[Identity, ...]]:
    """The identities of the customers in several orders, alone and among strange ones."""
    for identities in customers:
        several = (*identities, _STRANGER)[:4]
        for count in range(len(several) + 1):
            for some in combinations(several, count):
                yield from permutations(some)


def _received(channel: Any, request: CallbackRequest) -> str:
    try:
        channel.receive(request)
    except CallbackRejectedError:
        return "rejected"
    except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
        return type(error).__name__
    return "read"


def _rejection(channel: Any, request: CallbackRequest) -> str:
    """What the rejection says, empty where there is none."""
    try:
        channel.receive(request)
    except CallbackRejectedError as error:
        return f"{error} {error.code}"
    except Exception:  # noqa: BLE001 - another check is about these
        return ""
    return ""


def _garbage() -> Iterator[CallbackRequest]:
    """What scanners, proxies and people send to a callback's address."""
    bodies = [text.encode(errors="surrogatepass") for text in HOSTILE_TEXTS]
    bodies += [b"\xff\xfe\x00", b"[" * 10_000, b"{}", b"[]", b"null", b"<xml/>", b"a=1&b=2"]
    for body in bodies:
        yield CallbackRequest(method="POST", body=body)
    for text in HOSTILE_TEXTS:
        yield CallbackRequest(method="GET", path=f"/{text}", query={text: text, "echostr": text})
        yield CallbackRequest(method="POST", headers={text.lower(): text}, body=b"{}")
    for method in ("GET", "HEAD", "PUT", "DELETE", "", "post"):
        yield CallbackRequest(method=method)


def _damaged(request: CallbackRequest) -> Iterator[tuple[str, CallbackRequest]]:
    """An authentic callback that something happened to on its way, and what."""
    body = request.body
    cuts = sorted({0, 1, len(body) // 2, len(body) - 1} & set(range(len(body))))
    for at in cuts:
        yield f"cut after {at} bytes", attrs.evolve(request, body=body[:at])
        flipped = body[:at] + bytes([body[at] ^ 0x41]) + body[at + 1 :]
        yield f"with another byte {at}", attrs.evolve(request, body=flipped)
    yield "with more behind it", attrs.evolve(request, body=body + b"\x00{}")
    for text in HOSTILE_TEXTS:
        noise = text.encode(errors="surrogatepass")
        yield "with another body", attrs.evolve(request, body=noise)
    yield "with another path", attrs.evolve(request, path=f"{request.path}/x")
    yield "with another method", attrs.evolve(request, method="PUT")
    for name, query in _spoilt(request.query):
        yield f"with another {name}", attrs.evolve(request, query=query)
    for name, headers in _spoilt(request.headers):
        yield f"with another {name}", attrs.evolve(request, headers=headers)


def _spoilt(there: Mapping[str, str]) -> Iterator[tuple[str, dict[str, str]]]:
    """*there* without each of its names, and with other values of each."""
    for name in there:
        yield name, {key: value for key, value in there.items() if key != name}
        for text in HOSTILE_TEXTS:
            yield name, {**there, name: text}
