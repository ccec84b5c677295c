"""
What an SMS provider implements.

A provider is found by its entry point in the group ``scrmkit.sms``: a callable
``(account, clock) -> Provider``, named as the settings name it.
"""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

import attrs

from scrmkit.clock import Clock
from scrmkit.domain.identity import personal
from scrmkit.domain.messages import Accepted, Delivered, DeliveryOutcome, Undelivered, Unknown
from scrmkit.errors import SettingsError

GROUP = "scrmkit.sms"


@attrs.frozen(kw_only=True)
class Account:
    """
    An account at a provider.

    Attributes:
        endpoint: Address with its scheme; empty for the provider's own.
        timeout: How long one answer may take.
    """

    access_key_id: str = attrs.field(repr=False)
    access_key_secret: str = attrs.field(repr=False)
    endpoint: str = ""
    timeout: timedelta = timedelta(seconds=10)


@attrs.frozen(kw_only=True)
class Limits:
    """
    What a provider takes.

    Attributes:
        max_batch: Items of one call of ``send``.
        calls_per_s: Calls of ``send`` a second, None for no limit.
        registered_texts: Whether only texts registered there can be sent, by
            their template's code, so that nothing can be added to them here.
    """

    max_batch: int
    calls_per_s: float | None = None
    registered_texts: bool = False


@attrs.frozen(kw_only=True)
class Sms:
    """
    One text message to one phone (短信).

    Attributes:
        key: Ours, the same at every attempt; the provider echoes it.
        phone: E.164. Personal.
        sign: The signature without brackets.
        template: The provider's code of the registered text.
        params: Values of the text's variables. Personal.
        text: The whole text as it should arrive. Personal.
    """

    key: str
    phone: str = personal()
    sign: str
    template: str
    params: Mapping[str, str] = personal(hash=False)
    text: str = personal()


@attrs.frozen(kw_only=True)
class Sent:
    """
    A message whose outcome is unknown, to be asked about.

    Attributes:
        since: A moment before it was sent, timezone-aware.
    """

    key: str
    phone: str = personal()
    template: str
    since: datetime


@attrs.frozen(kw_only=True)
class NoTrace:
    """The provider has no record of the message, at the moment at least."""


Found = Accepted | Delivered | Undelivered | Unknown | NoTrace


class Meaning(enum.StrEnum):
    """What a delivery report's code says about the phone or the message."""

    DELIVERED = "delivered"
    DEAD_NUMBER = "dead_number"
    BLACKLISTED = "blacklisted"
    OPTED_OUT = "opted_out"
    TOO_OFTEN = "too_often"
    CONTENT = "content"
    SIGNATURE = "signature"
    NO_OPT_OUT_TEXT = "no_opt_out_text"
    NIGHT = "night"
    OTHER = "other"


@attrs.frozen(kw_only=True)
class SmsReport:
    """
    What became of one message at one phone (短信回执).

    Attributes:
        echo: What we sent along and the provider gave back; several messages
            of one call share it and differ in their phone. Empty where the
            message was not ours.
        key: Our key, where the echo holds just one.
        reported_at: Timezone-aware.
        parts: How many messages were billed, 0 where it does not say.
    """

    phone: str = personal()
    echo: str
    key: str | None
    provider_id: str
    outcome: Delivered | Undelivered
    meaning: Meaning
    reported_at: datetime
    parts: int = 0


@attrs.frozen(kw_only=True)
class SmsReply:
    """
    What a customer texted back (上行短信).

    Attributes:
        id: The provider's own, the same when it is pushed again.
        sign: The signature of the text that it answers.
    """

    id: str
    phone: str = personal()
    text: str = personal()
    sign: str
    replied_at: datetime


class Provider(Protocol):
    """
    An account at an SMS provider. Safe to use from several threads.

    Attributes:
        name: Short, as in keys of touchpoints; stays the same for ever.
        limits: What it takes.
        acknowledgement: The JSON that its callbacks are answered with.
    """

    name: str
    limits: Limits
    acknowledgement: bytes

    def send(self, batch: Sequence[Sms]) -> Sequence[DeliveryOutcome]:
        """
        Send each message once and say what became of each, in order.

        What certainly was not sent is ``TryLater`` or ``Refused``, a lost
        answer is ``Unknown``. ``provider_id`` is what reports call ``echo``.
        """
        ...

    def query(self, sent: Sequence[Sent]) -> Sequence[Found]:
        """Look each message up without sending it again, in order."""
        ...

    def parse_reports(self, body: bytes) -> Sequence[SmsReport]:
        """
        Read a push of delivery reports.

        Raises:
            CallbackRejectedError: It is not what the provider pushes.
        """
        ...

    def parse_replies(self, body: bytes) -> Sequence[SmsReply]:
        """
        Read a push of replies.

        Raises:
            CallbackRejectedError: It is not what the provider pushes.
        """
        ...


ProviderFactory = Callable[[Account, Clock], Provider]


def load_provider(name: str) -> ProviderFactory:
    """
    Find the provider that an installed distribution registers as *name*.

    Raises:
        SettingsError: None does, or several do.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        close = difflib.get_close_matches(name, found, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(found))}"
        raise SettingsError([f"provider: no SMS provider is called {name!r}; {hint}"])
    owners = sorted({_owner(each) for each in entry_points(group=GROUP, name=name)})
    if len(owners) > 1:
        raise SettingsError([f"provider: {name!r} is registered by {' and by '.join(owners)}"])
    factory: ProviderFactory = found[name].load()
    return factory


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown distribution"
