"""The eight segments: canonical codes, labels and what to do with each."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs


class Language(enum.StrEnum):
    """The language of labels and words."""

    ZH = "zh"
    EN = "en"


@attrs.frozen(kw_only=True)
class Segment:
    """
    One of the eight RFM segments (八大人群).

    Attributes:
        code: Whether recency, frequency and money are high: ``111`` to ``000``.
            Labels differ between authors; the code does not.
        label: What people call it, by language.
        strategy: What to do by default, by language.
    """

    code: str
    label: Mapping[Language, str] = attrs.field(hash=False)
    strategy: Mapping[Language, str] = attrs.field(hash=False)


def _segment(code: str, label: tuple[str, str], strategy: tuple[str, str]) -> Segment:
    return Segment(
        code=code,
        label=MappingProxyType({Language.ZH: label[0], Language.EN: label[1]}),
        strategy=MappingProxyType({Language.ZH: strategy[0], Language.EN: strategy[1]}),
    )


NO_SEGMENT = "none"
"""The band of a customer who has no order."""

SEGMENTS: Mapping[str, Segment] = MappingProxyType(
    {
        segment.code: segment
        for segment in (
            _segment(
                "111",
                ("重要价值", "important, to cherish"),
                (
                    "专属服务，粉丝卡续费，新品优先，不做大折扣，邀请推荐",
                    "VIP service, renew the fan card, early access, no deep discount, ask for referrals",
                ),
            ),
            _segment(
                "011",
                ("重要保持", "important, to win back"),
                (
                    "由专属导购电话或企微唤回，附专属券，问清流失原因",
                    "win back by a call or message of their own guide with an exclusive coupon, and find the cause",
                ),
            ),
            _segment(
                "101",
                ("重要发展", "important, to develop"),
                (
                    "提升频次：14 天和 30 天复购券，会员日，组合装",
                    "raise frequency: repurchase coupons at 14 and 30 days, member day, bundles",
                ),
            ),
            _segment(
                "001",
                ("重要挽留", "important, to retain"),
                (
                    "高触达唤回并赠礼，三次无回应即停止",
                    "high-touch win-back with a gift; stop after three silent tries",
                ),
            ),
            _segment(
                "110",
                ("一般价值", "ordinary, to cherish"),
                ("提升客单：阶梯满减，跨品牌推荐", "raise the basket: tiered discounts, other brands"),
            ),
            _segment(
                "010",
                ("一般保持", "ordinary, to win back"),
                ("提醒唤醒，积分到期通知", "reactivate with a reminder and notice of expiring points"),
            ),
            _segment(
                "100",
                ("一般发展", "ordinary, to develop"),
                ("新客 SOP，14 天内第二单券", "onboarding steps, a coupon for the second order within 14 days"),
            ),
            _segment(
                "000",
                ("一般挽留", "ordinary, to retain"),
                ("仅用低成本通道，每季度一次", "cheap channels only, one try per quarter"),
            ),
        )
    }
)


def code_of(recency: bool, frequency: bool, monetary: bool) -> str:
    """The segment's code from which of the three are high."""
    return f"{recency:d}{frequency:d}{monetary:d}"
