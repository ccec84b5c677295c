"""
What the platform's error codes mean for us.

Source: WeCom API, 全局错误码 (path/90313), read 2026-11. The platform's own
``errmsg`` is never used: it may change, and it quotes the caller.
"""

from __future__ import annotations

from datetime import timedelta

OK = 0
BUSY = -1
NO_RELATION = 84061
WELCOME_EXPIRED = 41050
ALREADY_WELCOMED = 41051
WELCOME_IN_PROGRESS = 41096
RATE_LIMITED = 45009
CONCURRENCY_LIMITED = 45033

TOKEN_CODES = frozenset({40001, 40014, 42001})
"""The token is not accepted; servers have answered any of these for one that had expired."""

BUSY_CODES = frozenset({BUSY, 41063})
"""Not done, and the same call may pass later; beside those that have a name above."""

SETUP_CODES = frozenset({40001, 40013, 40014, 40091, 42001, 48001, 48002, 48004, 48006, 50003, 60020, 60031, 301002})
"""A fault of the app's set-up and not of what was sent: all calls fail until it is mended."""

MINUTE_BLOCK = timedelta(seconds=60)
"""How long the platform blocks a caller who went over a limit by the minute."""

_MEANINGS = {
    BUSY: "the platform is busy",
    40001: "the app's secret or token is not accepted",
    40003: "no such member",
    40013: "no such company",
    40014: "the token is not accepted",
    40035: "a parameter is wrong",
    40058: "a parameter is wrong",
    40063: "a parameter is empty",
    40068: "no such tag or tag group",
    40071: "a tag of this name exists",
    40072: "a tag's name is too long",
    40091: "the secret belongs to another company",
    40096: "no such customer",
    40126: "the company has as many tags as are allowed",
    41035: "the customer is missing",
    41037: "the contact way's type is missing",
    41038: "the contact way's scene is missing",
    41039: "the contact way's type is wrong",
    41040: "the contact way's scene is wrong",
    41041: "a contact way takes at most 100 members",
    41042: "the contact way's style is wrong",
    41043: "the contact way's id is missing",
    41044: "no such contact way of this app",
    41045: "the company has as many contact ways as are allowed",
    41049: "the welcome code is missing",
    WELCOME_EXPIRED: "the welcome code is unknown or older than 20 s",
    ALREADY_WELCOMED: "the customer was welcomed already, or the chat has begun",
    41054: "the member has not activated the account",
    41063: "still being dispatched",
    41064: "too many attachments",
    41065: "an attachment's type is wrong",
    WELCOME_IN_PROGRESS: "another app is sending a welcome right now",
    42001: "the token has expired",
    RATE_LIMITED: "too many calls",
    CONCURRENCY_LIMITED: "too many calls at once",
    48001: "the app may not call this API",
    48002: "the app may not call this API",
    50003: "the app is disabled",
    60011: "the app has no privilege over this member",
    60020: "this server's address is not among the app's trusted ones",
    60021: "the member is outside the app's visible range",
    60031: "the app is barred from the API",
    60111: "no such member",
    NO_RELATION: "the customer is not a contact of this member",
    84074: "the member may not have customers",
    84084: "the member is not the customer's contact",
    301002: "the agent id does not belong to this token",
    701008: "nobody in the request has a licence",
}


def meaning(code: int) -> str:
    """What *code* means, in words that an operator can read."""
    return _MEANINGS.get(code, "see the platform's table of error codes")
