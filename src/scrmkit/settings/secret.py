"""A value that never shows itself."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from scrmkit.errors import InvalidValueError

BY_REFERENCE = 'write { env = "NAME" } or { file = "PATH" }'


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

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret is not pickled; hand on the reference to it instead")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self.__getstate__()


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
        raise InvalidValueError(f"a secret does not stand in the settings itself; {BY_REFERENCE}")
    ((way, name),) = reference.items()
    if way not in ("env", "file") or not isinstance(name, str) or not name or "\x00" in name:
        raise InvalidValueError(f"this is no reference to a secret; {BY_REFERENCE}")
    value = environ.get(name, "") if way == "env" else _read(folder / name, name)
    if not value:
        where = "the environment variable" if way == "env" else "the file"
        raise InvalidValueError(f"{where} {name} is not set or empty; put the secret there")
    return Secret(value)


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        kind = type(error).__name__
        raise InvalidValueError(f"the file {name} cannot be read ({kind})") from None
