"""
A channel of one's own, whole: it sends, asks what became of it, and reads callbacks.

The push service behind it is invented; ``push_service.py`` plays its part.

    [plugins.push]
    use = "channel.push:PushChannel"
    url = "https://push.example.com"
    key = { env = "PUSH_KEY" }
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import httpx

from scrmkit import (
    Accepted,
    CallbackRejectedError,
    CallbackRequest,
    ConsentChanged,
    Delivered,
    DeliveryOutcome,
    Identity,
    Inbound,
    Operation,
    Outgoing,
    PluginContext,
    Purpose,
    Refused,
    Report,
    Secret,
    Touchpoint,
    TouchpointKind,
    TryLater,
    Unknown,
    personal,
)

DEVICE = "push_device"


@attrs.frozen(kw_only=True)
class PushSettings:
    """
    Settings of ``PushChannel``.

    Attributes:
        url: The service's address, without a path.
        key: Goes with every call, and signs the service's callbacks.
        timeout: How long one answer may take.
    """

    url: str
    key: Secret
    timeout: timedelta = timedelta(seconds=10)


@attrs.frozen(kw_only=True)
class Note:
    """The body of ``send``: what shows on the phone. Personal."""

    title: str = personal(default="")
    text: str = personal(default="")


@attrs.frozen(kw_only=True)
class Opened:
    """A customer opened a note. *note* is the key that it was sent with."""

    note: str


class PushChannel:
    """Writes to phones that have the shop's app."""

    Settings = PushSettings
    identity_kinds = frozenset({DEVICE})
    touchpoint_kinds = (TouchpointKind(name="push.opened", payload=Opened),)

    def __init__(self, context: PluginContext[PushSettings]) -> None:
        self.name = context.name
        # The service does a key once, however often it comes: a lost answer may be tried again.
        self.operations = {"send": Operation(body=Note, idempotent=True, rate_per_s=50)}
        self._key = context.settings.key
        self._http = httpx.Client(
            base_url=context.settings.url,
            timeout=context.settings.timeout.total_seconds(),
            headers={"Authorization": f"Bearer {self._key.reveal()}"},
        )

    def close(self) -> None:
        self._http.close()

    # --- out -----------------------------------------------------------------------------

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        return next((one for one in identities if one.kind == DEVICE), None)

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        return [self._send(item) for item in batch]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        return [self._ask(item) for item in batch]

    def _send(self, item: Outgoing) -> DeliveryOutcome:
        if item.address is None:
            return Refused(code="no_device", reason="there is nowhere to send it")
        note = {"device": item.address.value, "title": item.body.title, "text": item.body.text}
        try:
            answer = self._http.put(f"/notes/{item.key}", json=note)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            return TryLater(reason="the service cannot be reached")
        except httpx.HTTPError as error:
            return Unknown(reason=f"the answer was lost ({type(error).__name__})")
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            return TryLater(reason="too many notes", after=timedelta(seconds=5), lane=True)
        if answer.status_code == httpx.codes.GONE:
            return Refused(code="gone", reason="the app was removed", suppress=True)
        if answer.is_client_error:
            return Refused(code=str(answer.status_code), reason="the service refused the note")
        return Accepted() if answer.is_success else Unknown(reason="the service broke down")

    def _ask(self, item: Outgoing) -> DeliveryOutcome:
        try:
            answer = self._http.get(f"/notes/{item.key}")
        except httpx.HTTPError as error:
            return Unknown(reason=f"the service cannot be asked ({type(error).__name__})")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return TryLater(reason="the service never got it")
        return Accepted() if answer.is_success else Unknown(reason="the service broke down")

    # --- in ------------------------------------------------------------------------------

    def receive(self, request: CallbackRequest) -> Inbound:
        signature = hmac.new(self._key.reveal().encode(), request.body, hashlib.sha256)
        given = request.headers.get("x-signature", "")
        if not hmac.compare_digest(given.encode(errors="replace"), signature.hexdigest().encode()):
            raise CallbackRejectedError("the signature is wrong", code="signature")
        try:
            return self._read(json.loads(request.body))
        except (ValueError, TypeError, LookupError):
            # No `from`: the text of a parser's error repeats what it could not read.
            raise CallbackRejectedError("the callback cannot be read", code="body") from None

    def _read(self, event: dict[str, Any]) -> Inbound:
        if event["type"] == "delivered":
            return Inbound(reports=(Report(key=str(event["note"]), outcome=Delivered()),))
        if event["type"] == "opened":
            kind, payload = "push.opened", Opened(note=str(event["note"]))
        elif event["type"] == "muted":
            kind, payload = "consent.withdrawn", self._withdrawn()
        else:
            return Inbound()
        touchpoint: Touchpoint[Any] = Touchpoint(
            kind=kind,
            key=str(event["id"]),
            occurred_at=datetime.fromisoformat(event["at"]),
            payload=payload,
            identities=(Identity(kind=DEVICE, value=event["device"]),),
            source=self.name,
        )
        return Inbound(touchpoints=(touchpoint,))

    def _withdrawn(self) -> Any:
        return ConsentChanged(channel=self.name, purpose=Purpose.MARKETING, proof="muted in the app")
