"""Access tokens: the same one while it lasts, until it runs out or is taken back."""

from __future__ import annotations

from datetime import datetime, timedelta

from scrmkit_wecom.sandbox.errors import BAD_TOKEN, NO_TOKEN, TOKEN_EXPIRED, ApiError
from scrmkit_wecom.sandbox.state import Ids

TOKEN_LIFE = timedelta(seconds=7200)
"""Source: WeCom API, 获取access_token (path/91039), read 2026-11."""

RENEWAL = timedelta(minutes=5)
"""Less than this before its end, ``gettoken`` hands out a new token. Our choice: the
platform only says that calls within the life of a token return the same one."""


class Tokens:
    """The tokens of one app."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._ends: dict[str, datetime] = {}
        self._latest = ""

    def issue(self, at: datetime) -> tuple[str, int]:
        """The app's token and how many seconds it still lives."""
        end = self._ends.get(self._latest, at)
        if end - at < RENEWAL:
            self._latest = self._ids.make("", 214, "token")
            end = self._ends[self._latest] = at + TOKEN_LIFE
        return self._latest, int((end - at).total_seconds())

    def check(self, token: str, at: datetime) -> None:
        """
        Let a call with *token* pass.

        Raises:
            ApiError: There is none, it is unknown or taken back, or its life is over.
        """
        if not token:
            raise ApiError(NO_TOKEN)
        if token not in self._ends:
            raise ApiError(BAD_TOKEN)
        if at >= self._ends[token]:
            raise ApiError(TOKEN_EXPIRED)

    def revoke(self) -> None:
        """Take back every token, as the platform may do at any time."""
        self._ends.clear()
        self._latest = ""
