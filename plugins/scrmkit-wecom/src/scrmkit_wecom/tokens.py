"""Access tokens: fetched once for all who wait, renewed in time, shown to nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta

import attrs

from scrmkit.clock import Clock

REFRESH_MARGIN = timedelta(minutes=5)
"""How long before its end a token is no longer used, so that none expires on the way."""


@attrs.frozen(kw_only=True)
class AccessToken:
    """
    What lets one app call the API (access_token), for about two hours.

    Attributes:
        value: Up to 512 bytes. Secret.
        lasts: How long it is valid from now on, by the platform's ``expires_in``.
    """

    value: str = attrs.field(repr=False)
    lasts: timedelta


class AccessTokens:
    """
    The one token of one app of one company, for any number of threads.

    The platform throttles those who ask for tokens, so whoever comes while one
    is being fetched waits for that one, and shares its failure as well.
    """

    def __init__(self, fetch: Callable[[], AccessToken], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._value: str | None = None
        self._use_until: datetime | None = None
        self._flight: Future[str] | None = None

    def get(self) -> str:
        """
        A token that is valid for some minutes at least.

        Raises:
            ChannelError: What *fetch* raised.
        """
        with self._lock:
            if self._value is not None and self._is_fresh():
                return self._value
            flight, is_mine = self._flight, False
            if flight is None:
                flight, is_mine = Future(), True
                self._flight = flight
        if is_mine:
            self._land(flight)
        return flight.result()

    def renew(self, stale: str) -> str:
        """
        Another token than *stale*, which the platform did not accept.

        Asks for none if somebody has renewed it meanwhile.
        """
        with self._lock:
            if self._value == stale:
                self._value = None
        return self.get()

    def _is_fresh(self) -> bool:
        return self._use_until is not None and self._clock.now() < self._use_until

    def _land(self, flight: Future[str]) -> None:
        """Fetch, and tell all who wait; never raises, so that nobody waits for ever."""
        try:
            token = self._fetch()
            margin = min(REFRESH_MARGIN, token.lasts / 2)
            use_until = self._clock.now() + token.lasts - margin
        except BaseException as error:  # noqa: BLE001  whoever waits must hear of it
            with self._lock:
                self._flight = None
            flight.set_exception(error)
            return
        with self._lock:
            self._value, self._use_until, self._flight = token.value, use_until, None
        flight.set_result(token.value)
