"""Who a touchpoint is about, in a platform's own words."""

from __future__ import annotations

from typing import Any

import attrs

from scrmkit.domain.text import text

PERSONAL = "scrmkit_personal"
"""The metadata key that marks a field whose value is kept apart and can be erased."""


def personal(**options: Any) -> Any:
    """
    A field with a personal value: a name, a phone, a text, a platform's id.

    Its value is left out of the repr, is stored in one place of its own, and
    is blanked when the customer is erased; it then reads as the field's
    default, or as None.
    """
    metadata = {**options.pop("metadata", {}), PERSONAL: True}
    return attrs.field(repr=False, metadata=metadata, **options)


@attrs.frozen(kw_only=True)
class Identity:
    """
    One name that a platform knows a customer by.

    Attributes:
        kind: The type, such as ``phone``, ``unionid``, ``external_userid``.
        value: What the platform calls the customer, up to 256 characters.
            A phone is written E.164 style, ``+8613900000001``. Personal.
        scope: Where the value is unique: a corp's or an app's id, empty for
            values that are unique everywhere.
    """

    kind: str = attrs.field(validator=text(64))
    value: str = personal(validator=text(256))
    scope: str = attrs.field(default="", validator=text(128, least=0))


PHONE = "phone"
UNIONID = "unionid"
OPENID = "openid"
EXTERNAL_USERID = "external_userid"
MEMBER = "member"
CORE_IDENTITY_KINDS = frozenset({PHONE, UNIONID, OPENID, EXTERNAL_USERID, MEMBER})
"""What the core knows; a plugin registers its own as ``identity_kinds``."""
