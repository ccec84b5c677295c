"""The control API of a sandbox: methods that are calls, and describe themselves."""

from __future__ import annotations

import difflib
import functools
import inspect
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Concatenate, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from scrmkit.clock import aware
from scrmkit.errors import InvalidValueError

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")

_REQUIRED = inspect.Parameter.empty
_NAMES: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "ISO 8601 moment with a zone",
    type(None): "null",
}


@attrs.frozen(kw_only=True)
class Field:
    """One field of a control call: a member of the JSON body, or of the query of a GET."""

    name: str
    hint: Any
    about: str
    default: Any

    @property
    def is_required(self) -> bool:
        """Whether the call is refused without it."""
        return self.default is _REQUIRED

    def describe(self) -> dict[str, Any]:
        """The field as ``GET /sandbox/`` shows it."""
        shown: dict[str, Any] = {"name": self.name, "type": name_of(self.hint)}
        shown["required"] = self.is_required
        if not self.is_required:
            shown["default"] = self.default
        return {**shown, "about": self.about} if self.about else shown


@attrs.frozen(kw_only=True)
class ControlCall:
    """One call of the control API, read off a method's signature and docstring."""

    method: str
    path: str
    attribute: str
    about: str
    example: Mapping[str, Any]
    fields: tuple[Field, ...]

    def describe(self) -> dict[str, Any]:
        """The call as ``GET /sandbox/`` shows it."""
        return {
            "method": self.method,
            "path": f"/sandbox/{self.path}",
            "about": self.about,
            "fields": [field.describe() for field in self.fields],
            "example": dict(self.example),
        }

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """
        Check what a request gave and turn it into the method's arguments.

        Raises:
            InvalidValueError: A field is unknown, missing or of the wrong type.
        """
        known = {field.name: field for field in self.fields}
        for name in given:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
                raise InvalidValueError(f"/sandbox/{self.path} has no field {name!r}; {hint}")
        missing = [f.name for f in self.fields if f.is_required and f.name not in given]
        if missing:
            raise InvalidValueError(f"/sandbox/{self.path} needs {', '.join(missing)}")
        from_text = self.method == "GET"
        return {name: _read(value, known[name], from_text) for name, value in given.items()}


def control(
    method: Literal["GET", "POST"], path: str, *, example: Mapping[str, Any] | None = None, locked: bool = True
) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """
    Make a sandbox's method a call of its control API, at ``/sandbox/<path>``.

    The method's keyword arguments are the call's fields (``Annotated[str,
    "what it is"]`` says more about one), the first paragraph of its docstring
    is what the call does, what it returns is the JSON answer.

    Args:
        example: A body that works, shown by ``GET /sandbox/``.
        locked: Whether the sandbox's lock is held; not while the network is waited for.
    """

    def mark(function: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        @functools.wraps(function)
        def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not locked:
                return function(self, *args, **kwargs)
            with self.lock:  # type: ignore[attr-defined]
                return function(self, *args, **kwargs)

        call.__dict__["_scrmkit_control"] = (method, path, dict(example or {}))
        return call

    return mark


def calls_of(owner: type) -> tuple[ControlCall, ...]:
    """Every control call that *owner* has, its bases' first, in the order they are written."""
    found: dict[str, ControlCall] = {}
    for base in reversed(owner.__mro__):
        for attribute in vars(base):
            member = getattr(owner, attribute, None)
            if hasattr(member, "_scrmkit_control"):
                found[attribute] = _describe(attribute, member)
    return tuple(found.values())


def _describe(attribute: str, function: Any) -> ControlCall:
    method, path, example = function._scrmkit_control
    hints = get_type_hints(function, include_extras=True)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    return ControlCall(
        method=method,
        path=path,
        attribute=attribute,
        about=" ".join(paragraph.split()),
        example=example,
        fields=tuple(_field(each, hints[each.name]) for each in parameters),
    )


def _field(parameter: inspect.Parameter, hint: Any) -> Field:
    about = ""
    if get_origin(hint) is Annotated:
        hint, about = get_args(hint)[:2]
    return Field(name=parameter.name, hint=hint, about=about, default=parameter.default)


def name_of(hint: Any) -> str:
    """A type as the control API's own reader would call it: ``list of string``."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "one of " + ", ".join(str(each) for each in inner)
    if origin in (Union, UnionType):
        return " or ".join(name_of(each) for each in inner)
    if origin is list:
        return f"list of {name_of(inner[0])}"
    return _NAMES.get(hint, "object")


def _read(value: Any, field: Field, from_text: bool) -> Any:
    for hint in _choices(field.hint):
        try:
            return _read_as(value, hint, from_text)
        except (ValueError, TypeError):
            continue
    raise InvalidValueError(f"{field.name!r} should be: {name_of(field.hint)}")


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _read_as(value: Any, hint: Any, from_text: bool) -> Any:
    if get_origin(hint) is Literal:
        matches = [each for each in get_args(hint) if each == value]
        if not matches:
            raise ValueError
        return matches[0]
    if get_origin(hint) is list:
        if not isinstance(value, list):
            raise TypeError
        return [_read_as(each, get_args(hint)[0], from_text) for each in value]
    if hint is datetime:
        return aware(datetime.fromisoformat(value))
    if from_text and hint in (int, float):
        return hint(value)
    if from_text and hint is bool:
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    kinds = (int, float) if hint is float else get_origin(hint) or hint
    if not isinstance(value, kinds) or (isinstance(value, bool) and hint is not bool):
        raise TypeError
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    return value
