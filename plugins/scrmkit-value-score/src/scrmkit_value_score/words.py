"""A value score in words."""

from __future__ import annotations

from collections.abc import Sequence

from scrmkit_value_score.formula import Explanation, Input, Inputs, Line
from scrmkit_value_score.settings import Language

_TEXTS: dict[Input, tuple[str, str]] = {
    Input.RECENCY: ("最近一单在 {} 天前", "last order {} days ago"),
    Input.FREQUENCY: ("下单 {} 天", "orders on {} days"),
    Input.SPEND: ("净消费 {} 元", "net spend of {} yuan"),
    Input.ENGAGEMENT: ("互动热度 {}", "engagement of {}"),
    Input.MARGIN: ("累计毛利 {} 元", "gross margin of {} yuan"),
    Input.PREDICTED_MARGIN: ("预计年毛利 {} 元", "predicted margin of {} yuan a year"),
    Input.CHANNELS: ("可触达 {} 个通道", "reachable by {} channels"),
    Input.GROUP_CHATS: ("在 {} 个客户群", "in {} group chats"),
    Input.INVITES: ("有效邀请 {} 人", "{} valid invites"),
    Input.TENURE: ("相识 {} 天", "known for {} days"),
    Input.POSITIVES: ("可信信号 {} 次", "{} signs of trust"),
    Input.NEGATIVES: ("失信信号 {} 次", "{} signs against trust"),
    Input.REFUNDS: ("退款占实付 {}%", "refunds are {}% of what was paid"),
    Input.COMPLAINTS: ("投诉 {} 次", "{} complaints"),
    Input.FREEBIES: ("疑似羊毛党 {}%", "{}% likely to hunt freebies"),
}
_NO_ORDER = ("还没有订单", "no order yet")
_UNITS = (" days ago", " days", " yuan", "", " yuan", " yuan", "", "", "", " days", "", "", "%", "", "%")
"""One for each input, in order."""


def points(hundredths: int) -> str:
    """Hundredths of a point, or fen as yuan, with two decimals."""
    whole, rest = divmod(abs(hundredths), 100)
    return f"-{whole}.{rest:02d}" if hundredths < 0 else f"{whole}.{rest:02d}"


def numbers(inputs: Inputs, explanation: Explanation) -> tuple[str, ...]:
    """Each input's value without its unit, in order."""
    return (
        str(inputs.days_since_order),
        str(inputs.order_days),
        points(inputs.spend_fen),
        f"{explanation.engagement:.2f}",
        points(inputs.margin_fen),
        points(inputs.predicted_margin_fen),
        str(inputs.channels),
        str(inputs.group_chats),
        str(inputs.invites),
        str(inputs.tenure_days),
        str(inputs.positives),
        str(inputs.negatives),
        str(inputs.refunded_fen * 100 // inputs.paid_fen if inputs.paid_fen else 0),
        str(inputs.complaints),
        str(inputs.freebies_pct),
    )


def values(inputs: Inputs, shown: Sequence[str]) -> list[str]:
    """Each input's value with its unit, in order, from its *numbers*."""
    with_units = [number + unit for number, unit in zip(shown, _UNITS, strict=True)]
    if inputs.days_since_order is None:
        with_units[0] = _NO_ORDER[1]
    return with_units


def words(inputs: Inputs, explanation: Explanation, shown: Sequence[str], language: Language) -> tuple[str, ...]:
    """
    Up to three inputs that add most, then up to three that cost most.

    What costs is a penalty, a sign against trust, or how far an input is from
    the most that it could add. Inputs that nobody supplied are left out.

    Args:
        shown: The inputs' *numbers*.
    """
    known = [
        (line, number)
        for line, number in zip(explanation.lines, shown, strict=True)
        if line.input not in inputs.missing
    ]
    best = sorted((row for row in known if row[0].hundredths > 0), key=_adds)[:3]
    rest = [row for row in known if row not in best and _costs(row) < 0]
    column = 0 if language is Language.ZH else 1
    of = " / " if language is Language.ZH else " of "
    said: list[str] = []
    for line, number in (*best, *sorted(rest, key=_costs)[:3]):
        no_order = line.input is Input.RECENCY and inputs.days_since_order is None
        text = _NO_ORDER[column] if no_order else _TEXTS[line.input][column].format(number)
        if len(said) < len(best):
            said.append(f"{text}: +{points(line.hundredths)}")
        elif line.hundredths < 0:
            said.append(f"{text}: {points(line.hundredths)}")
        else:
            said.append(f"{text}: {points(line.hundredths)}{of}{points(line.most_hundredths)}")
    return tuple(said)


def _adds(row: tuple[Line, str]) -> int:
    return -row[0].hundredths


def _costs(row: tuple[Line, str]) -> int:
    """Below 0, what the input costs against its best, in hundredths of a point."""
    return row[0].hundredths - row[0].most_hundredths
