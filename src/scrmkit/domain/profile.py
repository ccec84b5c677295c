"""What is known of a customer: tags, consents, scores."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.ids import CustomerId, TenantId, TouchpointId
from scrmkit.domain.messages import Purpose


class TagSource(enum.StrEnum):
    """Why a customer has a tag."""

    SOURCE = "source"
    TIME = "time"
    INTERACTION = "interaction"
    KEYWORD = "keyword"
    MANUAL = "manual"


@attrs.frozen(kw_only=True)
class TagGroup:
    """
    A group of tags (标签组) that belong to one question, such as where a customer came from.

    Attributes:
        tags: Those that people may choose from; plugins set others as well.
    """

    name: str
    tags: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Tag:
    """
    A tag (标签) on a customer, and where it came from.

    Attributes:
        touchpoint: What it was set at.
        at: When that happened. Timezone-aware.
        expires_at: The first moment at which it no longer holds, None for never.
    """

    group: str
    name: str
    source: TagSource
    plugin: str
    touchpoint: TouchpointId
    at: datetime
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Consent:
    """
    Whether a customer lets a channel be used for a purpose (同意).

    Attributes:
        channel: The channel's name, or ``*`` for every channel.
        at: When the customer said so. Timezone-aware.
        proof: How it can be shown, such as the form's name; never a text of the customer's.
    """

    channel: str
    purpose: Purpose
    granted: bool
    at: datetime
    touchpoint: TouchpointId | None = None
    proof: str = ""


@attrs.frozen(kw_only=True)
class Part:
    """
    One addend of a score, and why.

    Attributes:
        hundredths: What it adds, in hundredths of a point; a penalty is negative.
        inputs: What went in, as ``(name, value with its unit)``.
        gain_hundredths: What one notch more of its best input would add.
        missing: Inputs that nobody supplied and that count as neutral.
    """

    name: str
    hundredths: int
    inputs: tuple[tuple[str, str], ...] = ()
    gain_hundredths: int = 0
    missing: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Score:
    """
    What a scorer says of a customer.

    Attributes:
        hundredths: The score in hundredths of a point; the sum of *parts*
            where there are parts.
        band: The scorer's own name of the range that it falls in.
        segment: The scorer's own segment, such as RFM's ``111``, or empty.
        stage: The lifecycle stage, or empty.
        calibration: Which snapshot of the population it was measured against.
    """

    scorer: str
    hundredths: int
    band: str
    as_of: datetime
    segment: str = ""
    stage: str = ""
    parts: tuple[Part, ...] = ()
    words: tuple[str, ...] = ()
    calibration: str = ""


@attrs.frozen(kw_only=True)
class Customer:
    """
    A customer (客户), one person however many platforms know them.

    Attributes:
        id: The canonical id, which a merge keeps.
        identities: What platforms call them. Personal.
        attributes: Values that plugins set, by ``plugin.name``.
        stage: The lifecycle stage from the scorer that the settings name, or empty.
    """

    tenant: TenantId
    id: CustomerId
    identities: tuple[Identity, ...] = personal(default=())
    tags: tuple[Tag, ...] = ()
    attributes: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    consents: tuple[Consent, ...] = ()
    scores: tuple[Score, ...] = ()
    stage: str = ""
