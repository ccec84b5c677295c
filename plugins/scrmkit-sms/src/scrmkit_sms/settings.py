"""The settings of an SMS channel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import attrs

from scrmkit.errors import InvalidValueError
from scrmkit.settings import Secret
from scrmkit_sms.texts import LONGEST, OPT_OUT


def _plain(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not value or "【" in value or "】" in value:
        raise InvalidValueError(f"{attribute.name} is not empty and holds no 【】: those are put around the signature")


def _positive(instance: object, attribute: attrs.Attribute[Any], value: timedelta) -> None:
    if value <= timedelta(0):
        raise InvalidValueError(f'{attribute.name} is longer than nothing, such as "10s"')


@attrs.frozen(kw_only=True)
class SmsTemplate:
    """
    A text that is registered with the provider (短信模板).

    Attributes:
        code: What the provider calls it.
        text: What was registered, without signature; variables as ``${name}``.
            A text for marketing ends with the opt-out.
    """

    code: str
    text: str = attrs.field(validator=_plain)


@attrs.frozen(kw_only=True)
class SmsSettings:
    """
    One account at one provider.

    Attributes:
        provider: The name of an installed provider.
        callback_token: A segment of the callback addresses that nobody can
            guess: ``…/TOKEN/report`` and ``…/TOKEN/reply``. Providers sign no
            callback, so this is all that tells theirs from others'.
        sign_name: The signature (短信签名), without brackets.
        templates: By the name that messages use.
        opt_out: How a marketing text ends.
        endpoint: Where the provider is asked; empty for its own address.
        timeout: How long one answer may take.
        settle_after: How long a message whose answer was lost must have been
            without trace at the provider before it may be sent again.
    """

    provider: str = "aliyun"
    access_key_id: Secret
    access_key_secret: Secret
    callback_token: Secret = attrs.field()
    sign_name: str = attrs.field(validator=_plain)
    templates: Mapping[str, SmsTemplate] = attrs.field(factory=dict, hash=False)
    opt_out: str = attrs.field(default=OPT_OUT, validator=_plain)
    endpoint: str = ""
    timeout: timedelta = attrs.field(default=timedelta(seconds=10), validator=_positive)
    settle_after: timedelta = attrs.field(default=timedelta(minutes=10), validator=_positive)

    @callback_token.validator
    def _long_enough(self, _: object, value: Secret) -> None:
        token = value.reveal()
        if len(token) < 16 or not token.isascii() or "/" in token:
            raise InvalidValueError("callback_token has 16 or more ASCII characters and no slash")

    @templates.validator
    def _fit(self, _: object, value: Mapping[str, SmsTemplate]) -> None:
        room = LONGEST - len(self.sign_name) - len("【】")
        long = [name for name, template in value.items() if len(template.text) > room]
        if long:
            raise InvalidValueError(
                f"templates: {', '.join(long)}: longer than {LONGEST} characters with the signature"
            )
