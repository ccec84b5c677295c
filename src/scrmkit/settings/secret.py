"""A value that never shows itself."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NoReturn

from scrmkit.errors import InvalidValueError

_BY_REFERENCE = 'write { env = "NAME" } or { file = "PATH" }'
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")
_WITH_PASSWORD = re.compile(r"[^@]*?://[^@]*:[^@]*@.*", re.DOTALL)


class Secret:
    """
    A password, key or token; its value is had by ``reveal()`` alone.

    It has no readable repr, str or format, does not pickle and is no part of
    any JSON, so it does not get into logs and errors by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself: hand it on to who needs it, and keep it nowhere."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __deepcopy__(self, memo: object = None) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object = None) -> NoReturn:
        raise TypeError("a secret is not pickled; hand on the reference to it instead")

    __copy__ = __deepcopy__
    __getstate__ = __reduce_ex__


DatabaseUrl = Annotated[Secret, "a database's URL; without a password it may stand in the file"]


def secret_from(reference: Any, environ: Mapping[str, str], folder: Path) -> Secret:
    """
    The secret that ``{env = "NAME"}`` or ``{file = "PATH"}`` stands for.

    A relative path starts at *folder*; line ends at the end of a file are not
    part of the secret.

    Raises:
        InvalidValueError: It is no reference, or leads to nothing.
    """
    if isinstance(reference, Secret):
        return reference
    if not isinstance(reference, Mapping) or len(reference) != 1:
        raise InvalidValueError(f"a secret does not stand in the settings itself; {_BY_REFERENCE}")
    ((way, name),) = reference.items()
    if way not in ("env", "file") or not isinstance(name, str) or not name or "\x00" in name:
        raise InvalidValueError(f"this is no reference to a secret; {_BY_REFERENCE}")
    try:
        value = environ.get(name) if way == "env" else (folder / name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise InvalidValueError(f"the file {name} cannot be read ({kind})") from None
    value = (value or "").rstrip("\r\n" if way == "file" else "")
    if not value:
        where = "the environment variable" if way == "env" else "the file"
        raise InvalidValueError(f"{where} {name} is not set or empty; put the secret there")
    return Secret(value)


def database_from(written: Any, environ: Mapping[str, str], folder: Path) -> Secret:
    """
    The database's URL, by reference or as the file itself names it.

    Raises:
        InvalidValueError: As ``secret_from``, or a password stands in the file.
    """
    if not isinstance(written, str):
        return secret_from(written, environ, folder)
    if _WITH_PASSWORD.fullmatch(written):
        raise InvalidValueError(f"this URL holds a password; {_BY_REFERENCE}")
    return Secret(_RELATIVE_SQLITE.sub(lambda found: f"{found[1]}{folder / found[2]}", written))
