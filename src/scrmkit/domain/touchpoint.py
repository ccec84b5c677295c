"""What happened, and the kinds of it."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.identity import PERSONAL, Identity
from scrmkit.domain.ids import BrandId, CustomerId, GuideId, ShopId, StateToken, TenantId
from scrmkit.domain.organisation import Entrance
from scrmkit.domain.text import moment, text
from scrmkit.errors import InvalidValueError

P = TypeVar("P")
_KIND = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_]*)+")


class Witness(enum.StrEnum):
    """Whose word counts for the moment that deadlines compare."""

    ENGINE = "engine"
    PLATFORM = "platform"


@attrs.frozen(kw_only=True)
class TouchpointKind(Generic[P]):
    """
    A kind of touchpoint, registered by the core or by a plugin.

    Attributes:
        name: Dotted and past tense; a plugin's own start with its type, such
            as ``bargain.helped``.
        payload: The attrs type of the payload. Fields made with ``personal()``
            are kept apart and blanked at erasure.
        version: Counts the payload's shapes from 1.
        upcasts: From a version to the next, on the stored JSON.
        amount: The payload's field that sums and scores count, in fen, or None.
        witness: Deadlines compare ``occurred_at`` where the platform is the
            witness (a payment), the moment of recording otherwise.
    """

    name: str
    payload: type[P]
    version: int = 1
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = attrs.field(factory=dict, hash=False)
    amount: str | None = None
    witness: Witness = Witness.ENGINE

    def __attrs_post_init__(self) -> None:
        if not _KIND.fullmatch(self.name) or len(self.name) > 63:
            raise InvalidValueError(
                f"{self.name!r} is not a kind; write it dotted and at most 63 long, such as 'order.paid'"
            )
        fields = attrs.fields_dict(self.payload)  # type: ignore[arg-type]
        if self.amount is not None and self.amount not in fields:
            raise InvalidValueError(f"{self.payload.__name__} has no field {self.amount!r}")

    @property
    def personal(self) -> frozenset[str]:
        """The payload's fields whose values are personal."""
        fields = attrs.fields(self.payload)  # type: ignore[arg-type]
        return frozenset(field.name for field in fields if PERSONAL in field.metadata)


@attrs.frozen(kw_only=True)
class Touchpoint(Generic[P]):
    """
    One thing that happened between a customer and the shops (触点).

    Attributes:
        tenant: Whose it is; ``""`` stands for the settings' only tenant.
        key: The identity key: the same event always has the same, another
            never; unique within tenant and kind. Not personal.
        occurred_at: When it happened, by the platform's word. Timezone-aware.
        identities: Whom it is about; two of them join their customers.
        source: The channel or system that it came from.
        state: The opaque token of the entrance that it came by.
        to: The one instance that it is for, if it is for one.
        customer: Filled in by the engine: the canonical customer. A caller
            that already knows the customer may give it instead of identities.
        received_at: Filled in by the engine: when it was recorded.
        entrance: Filled in by the engine from *state*.
    """

    kind: str
    key: str = attrs.field(validator=text(200))
    occurred_at: datetime = attrs.field(validator=moment)
    payload: P
    tenant: TenantId = TenantId("")
    identities: tuple[Identity, ...] = ()
    source: str = ""
    state: StateToken | None = None
    brand: BrandId | None = None
    shop: ShopId | None = None
    guide: GuideId | None = None
    to: InstanceRef | None = None
    customer: CustomerId | None = None
    received_at: datetime | None = None
    entrance: Entrance | None = None
