"""Docstrings, types and defaults as Markdown, for the reference."""

from __future__ import annotations

import enum
import html
import inspect
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import time, timedelta
from typing import Any

import attrs

GENERATED = "<!-- Written by docs/_reference.py: change the code, and run that again. -->\n"
SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$")
ENTRY = re.compile(r"^(?P<names>[\w*][\w*, ]*): (?P<text>.*)$")


class Doc:
    """A docstring, taken apart: what it says, and what it says of each name."""

    def __init__(self, value: Any) -> None:
        self.named: dict[str, str] = {}
        self.returns = self.raises = ""
        told: list[str] = []
        part: list[str] | None = None
        parts: list[tuple[str, list[str]]] = []
        for line in _lines(value):
            section = SECTION.match(line)
            if section is not None:
                part = []
                parts.append((section[1], part))
            elif part is not None and (line.startswith("    ") or not line):
                part.append(line.removeprefix("    "))
            else:
                part = None
                told.append(line)
        for name, lines in parts:
            if name in ("Args", "Attributes"):
                self._entries(lines)
            elif name == "Returns":
                self.returns = prose(lines)
            else:
                self.raises = _raised(lines)
        self.text = prose(told)

    def _entries(self, lines: Iterable[str]) -> None:
        names: list[str] = []
        for line in lines:
            entry = ENTRY.match(line)
            if entry is not None:
                names = [name.strip() for name in entry["names"].split(",")]
                self.named |= dict.fromkeys(names, entry["text"])
            elif line.strip():
                self.named |= {name: f"{self.named[name]} {line.strip()}" for name in names}

    @property
    def first(self) -> str:
        """The first paragraph, in one line."""
        return self.text.partition("\n\n")[0].replace("\n", " ")

    def of(self, name: str) -> str:
        """What is said of a name."""
        return inline(self.named.get(name, ""))

    @property
    def whole(self) -> str:
        """All paragraphs, with what is returned and raised."""
        told = [self.text]
        if self.returns:
            told.append(f"**Returns** {self.returns}")
        if self.raises:
            told.append(f"**Raises**\n\n{self.raises}")
        return "\n\n".join(told) + "\n"


def _lines(value: Any) -> list[str]:
    doc = value.__doc__ if inspect.isclass(value) else inspect.getdoc(value)
    return inspect.cleandoc(doc or "").splitlines()


def _raised(lines: Iterable[str]) -> str:
    """A list of errors, or the sentence that stands there."""
    entries: list[str] = []
    for line in lines:
        entry = ENTRY.match(line)
        if entry is not None:
            names = ", ".join(code(name.strip()) for name in entry["names"].split(","))
            entries.append(f"- {names}: {inline(entry['text'])}")
        elif line.strip():
            entries[-1:] = [f"{entries[-1]} {inline(line.strip())}" if entries else line.strip()]
    return "\n".join(entries)


def inline(text: str) -> str:
    """Code in a line."""
    return re.sub(r":\w+:`(.+?)`", r"`\1`", re.sub(r"``(.+?)``", r"`\1`", text))


def prose(lines: Iterable[str]) -> str:
    """Paragraphs, lists and literal blocks."""
    text = inspect.cleandoc("\n".join(lines)).replace("::\n", ":\n")
    return inline(re.sub(r"([^\n])\n(?=- )", r"\1\n\n", text, count=1)).strip()


def code(text: str) -> str:
    """Text as code, in a table's cell as well."""
    if "|" in text:
        return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`" if text else ""


def type_of(annotation: Any) -> str:
    """A type, as an annotation writes it."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return " or ".join(code(word.strip()) for word in _members(text or str(annotation)))


def _members(text: str) -> Iterator[str]:
    """The members of a union: ``|`` outside brackets."""
    depth, start = 0, 0
    for index, letter in enumerate(text):
        depth += (letter in "[(") - (letter in "])")
        if letter == "|" and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def written(hint: Any) -> str:
    """A type as a program writes it."""
    if hint is type(None):
        return "None"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        return "..." if hint is Ellipsis else getattr(hint, "__name__", str(hint))
    inner = [written(argument) for argument in arguments]
    if origin.__name__ in ("Union", "UnionType"):
        return " | ".join(inner)
    return f"{origin.__name__}[{', '.join(inner)}]"


def default_of(field: attrs.Attribute[Any]) -> str:
    """A field's default."""
    value: Any = field.default
    if value is attrs.NOTHING:
        return "required"
    if hasattr(value, "takes_self"):
        return "derived" if value.takes_self else "empty"
    return code(shown(value))


def shown(value: Any) -> str:
    """A value as the settings' file would write it, where it can."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, enum.Enum):
        return shown(value.value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, time):
        return f'"{value:%H:%M}"'
    if isinstance(value, timedelta):
        return f'"{length(value)}"'
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(map(shown, value)))}]"
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {shown(one)}' for key, one in value.items())}}}"
    if attrs.has(type(value)):
        told = [
            f"{field.name} = {shown(getattr(value, field.name))}"
            for field in attrs.fields(type(value))
            if field.repr and getattr(value, field.name) is not None
        ]
        return f"{{ {', '.join(told)} }}"
    return str(value)


def length(value: timedelta) -> str:
    """A length of time in its largest whole unit."""
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        if value % timedelta(seconds=unit) == timedelta(0):
            return f"{value // timedelta(seconds=unit)}{name}"
    return f"{value // timedelta(milliseconds=1)}ms"


def fields(cls: type, *, only: Callable[[str], bool] = lambda name: True) -> str:
    """A table of an attrs class's fields; empty where there are none."""
    docs = [Doc(base) for base in cls.__mro__ if base is not object]
    rows = [
        (
            code(field.name),
            type_of(field.type),
            default_of(field),
            next((told for doc in docs if (told := doc.of(field.name))), ""),
        )
        for field in attrs.fields(cls)
        if field.init and only(field.name)
    ]
    return table(("name", "type", "default", ""), rows) if rows else ""


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, its cells in one line each."""
    names = list(headers)
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(' '.join(cell.split()) for cell in row)} |\n" for row in lines)


def page(title: str, *parts: str) -> str:
    """A whole page."""
    return f"# {title}\n\n{GENERATED}\n" + "\n".join(part for part in parts if part)
