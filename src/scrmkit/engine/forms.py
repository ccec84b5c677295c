"""The stored form of each effect: its name, whom it concerns, and what its fields may hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain import effects as e
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import TagSource
from scrmkit.domain.text import is_storable, is_text
from scrmkit.engine.frame import Author
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import thawed, to_json

_MOST = 1 << 60
Write = Callable[[Any, Author], Any]
"""
Turns what an author put into a field into what is stored.

Raises:
    InvalidValueError: A database could not hold it. The message has no value in it.
"""


@attrs.frozen
class Form:
    """
    How an effect is stored.

    Attributes:
        type: Its name in stored documents, whatever its class is called.
        about: A ``customer``, an ``instance`` or a customer's ``part`` in one; a ``timer``
            is an instance's or, without one, a customer's. Empty: nothing that must be there.
        fields: How each is written, by the attribute's name; None is left out.
    """

    type: str
    about: str
    fields: tuple[tuple[str, Write], ...]


def _form(type_: str, about: str = "", **fields: Write) -> Form:
    return Form(type_, about, tuple(fields.items()))


def _word(most: int, least: int = 1, within: str = "") -> Write:
    """Text of *least* to *most* characters; *within* is the author's namespace for it."""

    def write(value: Any, author: Author) -> str:
        if is_text(value, most, least):
            word = within.format(author) + value if within else value
            if len(word) <= most:
                return word
        raise InvalidValueError(f"text of {least} to {most} characters is wanted")

    return write


def _one_of(words: Iterable[str]) -> Write:
    known = frozenset(map(str, words))

    def write(value: Any, author: Author) -> str:
        if value not in known:
            raise InvalidValueError(f"one of {', '.join(sorted(known))} is wanted")
        return str(value)

    return write


def _whole(value: Any, author: Author) -> int:
    if type(value) is not int or not -_MOST < value < _MOST:
        raise InvalidValueError("a whole number is wanted, and not one too large")
    return value


def _truth(value: Any, author: Author) -> bool:
    return bool(value)


def _moment(value: Any, author: Author) -> int:
    return to_micros(value)


def _or_none(write: Write) -> Write:
    return lambda value, author: None if value is None else write(value, author)


def _plain(value: Any, author: Author) -> Any:
    finite = isinstance(value, float) and math.isfinite(value)
    if finite or value is None or isinstance(value, int):
        return value
    if isinstance(value, str) and is_storable(value):
        return value
    raise InvalidValueError("a text, a number, a bool or None is wanted")


def _object(value: Any, author: Author) -> Any:
    plain = thawed(value)
    text_of(plain)
    if not isinstance(plain, dict):
        raise InvalidValueError("a mapping is wanted")
    return plain


def _legs(value: Any, author: Author) -> list[list[Any]]:
    return [[_KEY(leg.owner, author), _whole(leg.amount, author)] for leg in value]


_KEY, _ROLE, _GROUP, _BAND = _word(128), _word(32), _word(64), _word(32, 0)
_RESOURCE = _word(200, 0, within="{0.name}/{0.campaign}/")

FORMS: Mapping[type, Form] = {
    e.AddTag: _form(
        "add_tag", "customer", group=_GROUP, name=_GROUP, source=_one_of(TagSource), expires_at=_or_none(_moment)
    ),
    e.RemoveTag: _form("remove_tag", "customer", group=_GROUP, name=_GROUP),
    e.SetAttribute: _form("set_attribute", "customer", name=_word(128, within="{0.name}."), value=_plain),
    e.Remember: _form("remember", "customer", value=_object),
    e.SetScore: _form("set_score", "customer"),
    e.RecordConsent: _form(
        "record_consent", "customer", channel=_GROUP, purpose=_one_of(Purpose), granted=_truth, proof=_word(200, 0)
    ),
    e.Propose: _form("propose", "customer", slot=_or_none(_word(170)), slot_closes_at=_or_none(_moment)),
    e.Request: _form("request", not_after=_or_none(_moment)),
    e.StartTimer: _form("start_timer", "timer", key=_KEY, due_at=_moment),
    e.CancelTimer: _form("cancel_timer", "timer", key=_KEY),
    e.OpenInstance: _form("open_instance", "instance", key=_KEY),
    e.AddAlias: _form("add_alias", "instance", kind=_ROLE, value=_word(200)),
    e.Join: _form("join", "part", role=_ROLE, data=_object),
    e.ChangeParticipant: _form("change_participant", "part", role=_ROLE, data=_object),
    e.Leave: _form("leave", "part", role=_ROLE),
    e.Reserve: _form(
        "reserve", resource=_RESOURCE, reservation=_KEY, quantity=_whole, capacity=_whole, expires_at=_or_none(_moment)
    ),
    e.CommitReservation: _form("commit", resource=_RESOURCE, reservation=_KEY),
    e.ReleaseReservation: _form("release", resource=_RESOURCE, reservation=_KEY, committed=_truth),
    e.Post: _form("post", ledger=_word(128, 0, within="{0.name}/"), legs=_legs, floor=_or_none(_whole)),
}
SCORE = _form("", scorer=_GROUP, hundredths=_whole, band=_BAND, segment=_BAND, stage=_BAND, as_of=_moment)
"""The fields of the score that is set."""


def written(form: Form, value: Any, author: Author) -> dict[str, Any]:
    """
    The fields of an effect as JSON values.

    Raises:
        InvalidValueError: One cannot be stored. The message names the field, not the value.
    """
    document: dict[str, Any] = {}
    for name, write in form.fields:
        try:
            stored = write(getattr(value, name), author)
        except InvalidValueError as error:
            raise InvalidValueError(f"{name} does not fit: {error}") from None
        if stored is not None:
            document[name] = stored
    return document


def text_of(value: Any) -> str:
    """
    JSON values as text.

    Raises:
        InvalidValueError: They hold something else, or half characters.
    """
    try:
        text = to_json(value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidValueError("not all of it are JSON values") from None
    if not is_storable(text):
        raise InvalidValueError("a text in it holds half a character")
    return text
