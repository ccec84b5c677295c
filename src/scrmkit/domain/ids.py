"""A type of its own for each kind of id."""

from __future__ import annotations

from typing import NewType

TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", int)
TouchpointId = NewType("TouchpointId", int)
OutgoingId = NewType("OutgoingId", int)
CampaignId = NewType("CampaignId", str)
BrandId = NewType("BrandId", str)
ShopId = NewType("ShopId", str)
GuideId = NewType("GuideId", str)
StateToken = NewType("StateToken", str)
