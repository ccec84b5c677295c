"""The SMS channel: what goes out through a provider, what comes back from it."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.identity import PHONE, Identity, personal
from scrmkit.domain.ids import TenantId
from scrmkit.domain.kinds import ConsentChanged, MessageReceived
from scrmkit.domain.messages import (
    Accepted,
    DeliveryOutcome,
    Operation,
    Outgoing,
    Purpose,
    Refused,
    Report,
    TryLater,
    Unknown,
)
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import CallbackRejectedError, InvalidValueError
from scrmkit.protocols import CallbackRequest, Inbound, PluginContext, Reply
from scrmkit_sms.phones import is_phone, region_of
from scrmkit_sms.provider import (
    Account,
    Found,
    Meaning,
    NoTrace,
    Provider,
    Sent,
    Sms,
    SmsReply,
    SmsReport,
    load_provider,
)
from scrmkit_sms.segments import segment
from scrmkit_sms.settings import SmsSettings
from scrmkit_sms.texts import LONGEST, compose, fill, is_opt_out

_MOST_MISSED = 10_000
_WITHDRAWING = frozenset({Meaning.OPTED_OUT, Meaning.BLACKLISTED})


@attrs.frozen(kw_only=True)
class SmsText:
    """
    What to say by SMS.

    Attributes:
        template: The name of one of the channel's templates.
        params: Values of its variables. Personal.
    """

    template: str
    params: Mapping[str, str] = personal(factory=dict, hash=False)


class SmsChannel:
    """
    Text messages (短信) through one account at one provider.

    A marketing text carries the signature and ends with the opt-out; a reply
    of the opt-out words withdraws the consent, as does a carrier's report that
    the customer opted out. A message whose answer was lost is looked up, and
    only where the provider has had no trace of it for ``settle_after`` is it
    given free to be sent again.
    """

    Settings = SmsSettings

    def __init__(self, context: PluginContext[SmsSettings]) -> None:
        self._name = context.name
        self._settings = context.settings
        self._clock = context.clock
        self._provider = _provider(context)
        self._lock = threading.Lock()
        self._missed: OrderedDict[tuple[TenantId, str], datetime] = OrderedDict()
        limits = self._provider.limits
        self.operations: Mapping[str, Operation] = {
            "send": Operation(body=SmsText, max_batch=limits.max_batch, rate_per_s=limits.calls_per_s)
        }

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """Choose the first phone number that is one."""
        phones = (each for each in identities if each.kind == PHONE and is_phone(each.value))
        return next(phones, None)

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """
        Send each message once.

        An accepted one is answered with ``biz_id`` (or what the provider
        calls it) and ``parts``, the messages billed.
        """
        self._check(operation)
        prepared = [self._prepare(item) for item in batch]
        messages = [each for each in prepared if isinstance(each, Sms)]
        outcomes = iter(self._provider.send(messages) if messages else ())
        return [each if isinstance(each, Refused) else _with_parts(next(outcomes), each) for each in prepared]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Look up messages whose outcome is unknown."""
        self._check(operation)
        found = self._provider.query([self._sent(item) for item in batch])
        return [self._settled(item, each) for item, each in zip(batch, found, strict=True)]

    def receive(self, request: CallbackRequest) -> Inbound:
        """
        Read a push of reports or replies.

        Raises:
            CallbackRejectedError: It is not for this address, or not readable.
        """
        token, _, what = request.path.strip("/").rpartition("/")
        known = self._settings.callback_token.reveal()
        if not hmac.compare_digest(token.encode(), known.encode()):
            raise CallbackRejectedError("no such callback address", code="token")
        reply = Reply(body=self._provider.acknowledgement, media_type="application/json")
        if request.method == "POST" and what == "report":
            return attrs.evolve(self._reports(request.body), reply=reply)
        if request.method == "POST" and what == "reply":
            return attrs.evolve(self._replies(request.body), reply=reply)
        raise CallbackRejectedError("callbacks are POSTs to .../report or .../reply", code="path")

    # Out.

    def _check(self, operation: str) -> None:
        if operation not in self.operations:
            raise InvalidValueError(f"an SMS channel has no operation {operation!r}; it has 'send'")

    def _prepare(self, item: Outgoing) -> Sms | Refused:
        if item.address is None:
            return Refused(code="unreachable", reason="there is no phone number")
        template = self._settings.templates.get(item.body.template)
        if template is None:
            reason = f"the channel's settings have no template {item.body.template!r}"
            return Refused(code="unknown_template", reason=reason)
        try:
            body = fill(template.text, item.body.params)
        except InvalidValueError as error:
            return Refused(code="template_params", reason=str(error))
        settings = self._settings
        is_registered = self._provider.limits.registered_texts
        is_marketing = item.purpose is Purpose.MARKETING
        if is_marketing and is_registered and not body.endswith(settings.opt_out):
            reason = f"a marketing text has to be registered with {settings.opt_out!r} at its end"
            return Refused(code="no_opt_out_text", reason=reason)
        text = compose(body, sign=settings.sign_name, purpose=item.purpose, opt_out=settings.opt_out)
        if len(text) > LONGEST:
            return Refused(code="too_long", reason=f"longer than {LONGEST} characters in all")
        return Sms(
            key=item.key,
            phone=item.address.value,
            sign=settings.sign_name,
            template=template.code,
            params=item.body.params,
            text=text,
        )

    def _sent(self, item: Outgoing) -> Sent:
        template = self._settings.templates.get(item.body.template)
        return Sent(
            key=item.key,
            phone=item.address.value if item.address is not None else "",
            template=template.code if template is not None else "",
            since=item.planned_at,
        )

    def _settled(self, item: Outgoing, found: Found) -> DeliveryOutcome:
        key = (item.tenant, item.key)
        with self._lock:
            if not isinstance(found, NoTrace):
                if not isinstance(found, Unknown):
                    self._missed.pop(key, None)
                return found
            # The provider may list a message late, so one look without trace proves nothing.
            now = self._clock.now()
            first = self._missed.setdefault(key, now)
            if now - first < self._settings.settle_after:
                if len(self._missed) > _MOST_MISSED:
                    self._missed.popitem(last=False)
                return Unknown(reason="the provider has no trace of it yet")
            del self._missed[key]
            return TryLater(reason="the provider never had it")

    # In.

    def _reports(self, body: bytes) -> Inbound:
        ours = [report for report in self._provider.parse_reports(body) if report.echo]
        return Inbound(
            reports=tuple(
                Report(
                    outcome=report.outcome,
                    key=report.key,
                    provider_id=report.echo,
                    address=Identity(kind=PHONE, value=report.phone),
                )
                for report in ours
            ),
            touchpoints=tuple(self._withdrawn_by(report) for report in ours if report.meaning in _WITHDRAWING),
        )

    def _replies(self, body: bytes) -> Inbound:
        replies = self._provider.parse_replies(body)
        return Inbound(touchpoints=tuple(self._said(reply) for reply in replies))

    def _said(self, reply: SmsReply) -> Touchpoint[Any]:
        key = f"{self._provider.name}-up:{reply.id}"
        if is_opt_out(reply.text):
            return self._withdrawn(key, reply.phone, reply.replied_at, f"reply {reply.id}")
        return Touchpoint(
            kind="message.received",
            key=key,
            occurred_at=reply.replied_at,
            payload=MessageReceived(text=reply.text, form="sms"),
            identities=(Identity(kind=PHONE, value=reply.phone),),
            source=self._name,
        )

    def _withdrawn_by(self, report: SmsReport) -> Touchpoint[Any]:
        # A key is not personal: the phone is in it as a digest, told apart by the call.
        told = f"{report.provider_id}/{report.phone}"
        key = f"{self._provider.name}-report:{hashlib.sha256(told.encode()).hexdigest()[:32]}"
        proof = f"carrier's report: {report.meaning.value}"
        return self._withdrawn(key, report.phone, report.reported_at, proof)

    def _withdrawn(self, key: str, phone: str, at: datetime, proof: str) -> Touchpoint[Any]:
        return Touchpoint(
            kind="consent.withdrawn",
            key=key,
            occurred_at=at,
            payload=ConsentChanged(channel=self._name, purpose=Purpose.MARKETING, proof=proof),
            identities=(Identity(kind=PHONE, value=phone),),
            source=self._name,
        )


def _provider(context: PluginContext[SmsSettings]) -> Provider:
    settings = context.settings
    account = Account(
        access_key_id=settings.access_key_id.reveal(),
        access_key_secret=settings.access_key_secret.reveal(),
        endpoint=settings.endpoint,
        timeout=settings.timeout,
    )
    return load_provider(settings.provider)(account, context.clock)


def _with_parts(outcome: DeliveryOutcome, sms: Sms) -> DeliveryOutcome:
    if not isinstance(outcome, Accepted):
        return outcome
    parts = segment(sms.text, region=region_of(sms.phone)).parts
    return attrs.evolve(outcome, answer={**outcome.answer, "parts": parts})
