"""The text of an SMS: its variables, its signature, its way out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from scrmkit.domain.messages import Purpose
from scrmkit.errors import InvalidValueError

OPT_OUT = "拒收请回复R"
"""What a marketing text ends with by default.
Source: Alibaba Cloud and Tencent Cloud SMS template rules, read 2026-11."""

OPT_OUT_WORDS = frozenset({"R", "T", "TD", "N", "0000", "退订", "拒收", "取消", "STOP", "UNSUBSCRIBE"})
"""Replies that withdraw the consent, compared with the whole reply."""

LONGEST = 500
"""Characters of a whole text, signature included.
Source: Alibaba Cloud SMS, 短信模板规范, read 2026-11."""

_VARIABLE = re.compile(r"\$\{([A-Za-z][A-Za-z0-9_]*)\}")


def is_opt_out(reply: str) -> bool:
    """
    Whether a customer's reply withdraws the consent (退订).

    The whole reply must be one of ``OPT_OUT_WORDS``, in any case and width:
    "r" does, "R you open on Sunday?" does not.
    """
    return unicodedata.normalize("NFKC", reply).strip().upper() in OPT_OUT_WORDS


def variables(template: str) -> frozenset[str]:
    """The names of the ``${name}`` variables in *template*."""
    return frozenset(_VARIABLE.findall(template))


def fill(template: str, params: Mapping[str, str]) -> str:
    """
    Put *params* in the place of the variables; one that is not used is no error.

    Raises:
        InvalidValueError: A variable has no value.
    """
    missing = variables(template) - params.keys()
    if missing:
        raise InvalidValueError(f"the template needs {', '.join(sorted(missing))}")
    return _VARIABLE.sub(lambda match: params[match[1]], template)


def compose(body: str, *, sign: str, purpose: Purpose | None, opt_out: str = OPT_OUT) -> str:
    """The whole text as it arrives: signature, body and, for marketing, the way out (once)."""
    if purpose is Purpose.MARKETING and not body.endswith(opt_out):
        body += opt_out
    return f"【{sign}】{body}"
