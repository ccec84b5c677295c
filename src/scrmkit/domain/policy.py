"""The contact policy: one pure function that says whether a message may go, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain.messages import Message, Purpose
from scrmkit.errors import InvalidValueError

_HOUR_US = 3_600_000_000


@attrs.frozen(kw_only=True)
class Cap:
    """
    At most *limit* messages of a purpose in a window.

    Attributes:
        purpose: The messages that it counts; others pass.
        limit: How many may go in one window; 0 lets none through.
        channel: A channel's name, or ``*`` for all together.
        days: So many calendar days of the customer's zone, one after another; or
        hours: so many hours. Exactly one of the two, and whenever they start.
    """

    purpose: Purpose
    limit: int
    channel: str = "*"
    days: int | None = None
    hours: int | None = None

    def __attrs_post_init__(self) -> None:
        if (self.days is None) == (self.hours is None):
            raise InvalidValueError("a cap counts either days or hours; give one of the two")
        if self.limit < 0 or (self.days or self.hours or 0) < 1:
            raise InvalidValueError("a cap's limit is 0 or more and its window 1 or more")

    def used(self, moments: Iterable[datetime], at: datetime, zone: ZoneInfo) -> int:
        """How many of *moments* the fullest window has that a message *at* would be in."""

        def place(one: datetime) -> int:
            return to_micros(one) if self.hours else one.astimezone(zone).toordinal()

        width = self.hours * _HOUR_US if self.hours else self.days or 1
        here, others = place(at), [place(one) for one in moments]
        starts = [here, *(one for one in others if here - width < one < here)]
        return max(sum(start <= one < start + width for one in others) for start in starts)


@attrs.frozen(kw_only=True)
class QuietHours:
    """
    No marketing from *start* to *end* on the customer's clock, over midnight if need be.

    Attributes:
        start: The first moment of the day at which none leaves.
        end: The first at which it may leave again; the same as *start* for no quiet hours.
    """

    start: time = time(21, 0)
    end: time = time(9, 0)

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that *at* lies in are over, None outside them."""
        local = at.astimezone(zone)
        clock, over_midnight = local.time(), self.start > self.end
        # From the start on, before the end: both on one day, either of them over midnight.
        begun, open_ = clock >= self.start, clock < self.end
        if self.start == self.end or not (begun or open_ if over_midnight else begun and open_):
            return None
        day = local.date()
        if over_midnight and begun:
            day += timedelta(days=1)
        end = datetime.combine(day, self.end, tzinfo=zone)
        # Where clocks are put back, the end comes twice, and its first time may be over.
        return end if to_micros(end) > to_micros(at) else end.replace(fold=1)


@attrs.frozen(kw_only=True)
class Policy:
    """
    The tenant's contact policy.

    Attributes:
        quiet: When marketing waits, None for never.
        caps: All apply; the first that is used up suppresses.
        consent: Purposes that need a consent.
    """

    quiet: QuietHours | None = QuietHours()
    caps: tuple[Cap, ...] = (
        Cap(purpose=Purpose.MARKETING, limit=1, days=1),
        Cap(purpose=Purpose.MARKETING, limit=4, days=7),
    )
    consent: frozenset[Purpose] = frozenset({Purpose.MARKETING})


@attrs.frozen(kw_only=True)
class Facts:
    """
    What the policy looks at for one customer and channel.

    Attributes:
        consents: The newest word on ``(channel, purpose)``; ``*`` stands for all channels.
        suppressed: Why this channel must not write to the address, or None.
        reachable: Whether the channel has an address for the customer.
        sent: Messages planned or sent and not refused, as ``(channel, purpose,
            when it counts)``.
        platform_left: How many more the platform lets through on the day that the
            message would leave, None for no limit.
    """

    consents: Mapping[tuple[str, Purpose], bool] = attrs.field(factory=dict, hash=False)
    suppressed: str | None = None
    reachable: bool = True
    sent: tuple[tuple[str, Purpose, datetime], ...] = ()
    platform_left: int | None = None


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What the policy says.

    Attributes:
        send_at: When it may leave, None where it may not.
        code: ``ok``, ``deferred``, or why not: ``unreachable``, ``no_consent``,
            ``withdrawn``, ``suppressed``, ``capped``, ``quota``, ``expired``.
    """

    send_at: datetime | None
    code: str
    reason: str


def judge(message: Message, facts: Facts, policy: Policy, at: datetime, zone: ZoneInfo) -> Verdict:
    """
    Apply the policy: reach, consent, suppression, quiet hours, caps, platform quota.

    Quiet hours defer; all the others suppress at once. A message whose use is
    over before it may leave is ``expired``.
    """
    send_at = earliest(message, policy, at, zone)
    for code, reason in _objections(message, facts, policy, send_at, zone):
        return Verdict(send_at=None, code=code, reason=reason)
    if send_at > at:
        return Verdict(send_at=send_at, code="deferred", reason="waits for its time")
    return Verdict(send_at=send_at, code="ok", reason="the contact policy allows it")


def earliest(message: Message, policy: Policy, at: datetime, zone: ZoneInfo) -> datetime:
    """When a message may leave as far as its own time and the quiet hours go, from *at* on."""
    send_at = max(at, message.not_before or at)
    if policy.quiet is not None and message.purpose is Purpose.MARKETING:
        send_at = policy.quiet.until(send_at, zone) or send_at
    return send_at.astimezone(UTC)


def _objections(
    message: Message, facts: Facts, policy: Policy, send_at: datetime, zone: ZoneInfo
) -> Iterator[tuple[str, str]]:
    """The codes and reasons of why a message may not go; the first is the one that counts."""
    if not facts.reachable:
        yield "unreachable", f"the customer cannot be reached by {message.channel}"
    purpose = message.purpose
    granted = consent_for(facts.consents, message.channel, purpose)
    if granted is False and purpose is not Purpose.TRANSACTIONAL:
        yield "withdrawn", "the customer withdrew the consent"
    if granted is None and purpose in policy.consent:
        never = f"the customer never consented to {purpose.value} by {message.channel}"
        yield "no_consent", never
    if facts.suppressed is not None:
        yield "suppressed", facts.suppressed
    if message.not_after is not None and send_at >= message.not_after:
        yield "expired", "its use ends before it may be sent"
    for cap in policy.caps:
        if cap.purpose is not purpose or cap.channel not in ("*", message.channel):
            continue
        counted = [when for channel, of, when in facts.sent if of is purpose and cap.channel in ("*", channel)]
        used = cap.used(counted, send_at, zone)
        if used >= cap.limit:
            window = f"{cap.days} days" if cap.days else f"{cap.hours} hours"
            yield "capped", f"{used} of {cap.limit} {purpose.value} messages in {window} are used"
    if facts.platform_left is not None and facts.platform_left < 1:
        yield "quota", "the platform's daily quota is used up"


def consent_for(consents: Mapping[tuple[str, Purpose], bool], channel: str, purpose: Purpose) -> bool | None:
    """The customer's word on a channel and purpose; a refusal of all channels wins."""
    own, everywhere = consents.get((channel, purpose)), consents.get(("*", purpose))
    if own is False or everywhere is False:
        return False
    return own or everywhere
