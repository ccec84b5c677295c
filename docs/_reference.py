"""
Writes the reference: ``python docs/_reference.py``, after a change of what it describes.

Everything comes from the code. A test compares the pages with what this would write.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import attrs
import click
from _names import names_page
from _render import ENTRY, Doc, code, fields, inline, page, table, type_of, written

from scrmkit import errors, hooks
from scrmkit.cli.context import CliContext
from scrmkit.cli.root import root
from scrmkit.domain import effects, reads
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.domain.policy import Cap, Policy, QuietHours
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.plugins import CONFIGURED, discover
from scrmkit.settings import Calls, PluginSettings, Settings
from scrmkit.settings.load import OVERRIDES
from scrmkit_audience.expressions import EXPRESSIONS, Segment

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
WIDTH = 88


def plugins() -> Iterator[tuple[str, str, type]]:
    """The plugins of this repository: entry point, distribution, class."""
    ours = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")}
    for found in discover():
        if found.distribution in ours and found.family in CONFIGURED:
            yield found.name, found.distribution, found.load()


# --- hooks ---------------------------------------------------------------------------------


def hooks_page() -> str:
    """Every hook: when it is called, what becomes of its result, an example and its test."""
    meanings = _meanings()
    names = hooks.SPECS
    rows = [
        (f"[`{name}`](#{name})", spec.scrmkit_kind.value, Doc(spec).first)
        for name in names
        for spec in [getattr(hooks, name)]
    ]
    return page(
        "Hooks",
        "A hook is how a plugin looks on, refuses or changes where deciding is not its business.\n"
        "An implementation is a method of the plugin's class, marked with `@hookimpl`; it may\n"
        "take fewer arguments than are listed. The engine calls implementations one by one, in\n"
        "the order in which the settings name the plugins, so that one which raises is recorded\n"
        "against its plugin and the others go on. `scrmkit hooks` shows who implements what.\n",
        table(("kind", "results and failures"), [(f"**{k}**", t) for k, t in meanings.items()]),
        table(("hook", "kind", ""), rows),
        "The types of arguments and results are among the [public names](names.md).\n",
        *[part for name in names for part in _hook(name, meanings)],
    )


def _meanings() -> dict[str, str]:
    """What is said of each kind of hook."""
    entries = [ENTRY.match(line) for line in inspect.cleandoc(hooks.HookKind.__doc__ or "").split("\n")]
    return {entry["names"]: inline(entry["text"]) for entry in entries if entry is not None}


def _hook(name: str, meanings: dict[str, str]) -> Iterator[str]:
    spec = getattr(hooks, name)
    example = f"examples/hooks/{name.removeprefix('scrmkit_')}.py"
    test = "examples/hooks/test_hook_examples.py"
    yield f"## {name}\n"
    yield f"```text\n{name}{inspect.signature(spec)}\n```\n".replace("'", "")
    yield Doc(spec).whole
    yield f"**Kind: {spec.scrmkit_kind.value}**, {meanings[spec.scrmkit_kind.value]}\n"
    yield f"```python\n{(ROOT / example).read_text()}```\n"
    yield f"This is [{example}](../../{example}); its test is in [{test}](../../{test}).\n"


# --- settings ------------------------------------------------------------------------------


def settings_page() -> str:
    """The core's settings, and those of the plugins of this repository."""
    elsewhere = {"calls", "policy", "plugins", "segments", "environ", "folder"}
    overrides = [(code(name), code(".".join(("scrmkit", *keys)))) for name, keys in OVERRIDES.items()]
    parts = [
        "`scrmkit init` writes a commented file; [how to write settings](../how-to/settings.md)\n"
        "explains them. Unknown keys are refused, and nothing is converted silently: a text is no\n"
        'number. Lengths of time are texts such as `"500ms"`, `"90s"`, `"15m"`, `"24h"`, `"7d"`,\n'
        'times of day such as `"21:00"`. A `Secret` is written `{ env = "NAME" }` or\n'
        '`{ file = "PATH" }`. Relative paths start at the settings\' file.\n',
        "## [scrmkit]\n",
        fields(Settings, only=lambda name: name not in elsewhere),
        "### [scrmkit.calls]\n",
        fields(Calls),
        "### [scrmkit.policy]\n",
        fields(Policy),
        "`quiet`, or `false` for none:\n",
        fields(QuietHours),
        "Each of `caps`:\n",
        fields(Cap),
        "### Environment variables\n",
        "A variable that is set and not empty replaces what the file says.\n",
        table(("variable", "replaces"), overrides),
        "## [plugins.NAME]\n",
        "The plugin's own settings stand in the same table.\n",
        fields(PluginSettings, only=lambda name: name in ("use", "enabled", "tenant")),
        "## [segments.NAME]\n",
        "From `scrmkit-audience`.\n",
        fields(Segment, only=lambda name: name != "name"),
        "An expression is a table with one key, its word; [how to write segments](../how-to/segments.md) shows them.\n",
    ]
    for expression in EXPRESSIONS:
        parts += [f"### {expression.word}\n", Doc(expression).whole, fields(expression)]
    for name, distribution, cls in plugins():
        parts += [f"## {name}\n", f"From `{distribution}`. {Doc(cls).first}\n"]
        parts += _settings_of(cls) or ["It takes no settings.\n"]
    return page("Settings", *parts)


def _settings_of(cls: type) -> list[str]:
    """The tables of a plugin's settings, with the tables inside them."""
    wanted = getattr(cls, "Settings", None)
    parts: list[str] = []
    todo = [wanted] if wanted is not None and attrs.fields(wanted) else []
    done: list[type] = []
    while todo:
        one = todo.pop(0)
        done.append(one)
        parts += [f"`{one.__name__}`: {Doc(one).first}\n"] if one is not wanted else []
        parts.append(fields(one))
        inner = [kind for hint in typing.get_type_hints(one).values() for kind in _classes(hint)]
        todo += [kind for kind in dict.fromkeys(inner) if kind not in (*done, *todo)]
    return parts


def _classes(hint: Any) -> Iterator[type]:
    """The attrs classes in a type."""
    if inspect.isclass(hint) and attrs.has(hint):
        yield hint
    for argument in typing.get_args(hint):
        yield from _classes(argument)


# --- the command line ----------------------------------------------------------------------


def cli_page() -> str:
    """The help of every command, those of installed plugins included."""
    context = click.Context(root, info_name="scrmkit", max_content_width=WIDTH)
    context.terminal_width = WIDTH
    context.obj = CliContext(path=Path("scrmkit.toml"), environ={})
    return page(
        "Command line",
        "Data goes to standard output, progress and logs to standard error. Exit codes: 0 done,\n"
        "1 failed, 2 a wrong call or wrong settings, 3 done in part. Commands of plugins are\n"
        "found by entry points and imported only when they run.\n",
        *_helps(root, context),
    )


def _helps(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    yield f"```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and not inner.hidden:
                below = click.Context(inner, parent=context, info_name=name)
                below.terminal_width = WIDTH
                yield from _helps(inner, below)


# --- errors, kinds, effects, reads -----------------------------------------------------------


def errors_page() -> str:
    """Every error."""
    found = [cls for cls in vars(errors).values() if inspect.isclass(cls) and issubclass(cls, errors.ScrmkitError)]
    rows = [
        (
            code(cls.__name__),
            ", ".join(code(base.__name__) for base in cls.__bases__),
            "yes" if cls.retryable else "no",
            Doc(cls).text,
        )
        for cls in found
    ]
    carried = [
        (code(f"{cls.__name__}.{name}"), doc.of(name)) for cls in found for doc in [Doc(cls)] for name in doc.named
    ]
    return page(
        "Errors",
        "Every error of scrmkit is a `ScrmkitError`, named for what the caller can do. Messages\n"
        "hold no secrets and no personal values. A retryable one means that nothing is half done\n"
        "and that the same call may succeed later. The command line ends with 2 for errors of\n"
        "settings, plugins and extras, with 1 for the others.\n",
        table(("error", "is a", "retryable", "what it means"), rows),
        "## What errors carry\n",
        table(("attribute", ""), carried),
    )


def kinds_page() -> str:
    """The kinds of touchpoints, the core's and those of the plugins of this repository."""
    parts = [
        "A kind says what happened: dotted, in the past tense. Fields marked *personal* are kept\n"
        "apart and blanked when a customer is erased. *Witness* is whose word counts for the\n"
        "moment that deadlines compare: the platform's `occurred_at`, or the engine's time of\n"
        "recording.\n",
        "## The core\n",
        *_kinds(CORE_KINDS),
    ]
    for name, distribution, cls in plugins():
        registered = getattr(cls, "touchpoint_kinds", ())
        if registered:
            parts += [f"## {name}\n", f"From `{distribution}`.\n", *_kinds(registered)]
    return page("Kinds of touchpoints", *parts)


def _kinds(kinds: Iterable[TouchpointKind[Any]]) -> Iterator[str]:
    for kind in kinds:
        yield f"### {kind.name}\n"
        told = [f"Payload `{kind.payload.__name__}`, witness {kind.witness.value}"]
        if kind.amount is not None:
            told.append(f"amount `{kind.amount}`")
        if kind.personal:
            told.append(f"personal: {', '.join(code(one) for one in sorted(kind.personal))}")
        yield "; ".join(told) + ".\n"
        yield Doc(kind.payload).whole
        yield fields(kind.payload)


def effects_page() -> str:
    """The closed list of effects."""
    listed = [*effects.EFFECTS]
    listed.insert(listed.index(effects.Post) + 1, effects.Leg)
    return page("Effects", Doc(effects).text + "\n", *_values(listed))


def reads_page() -> str:
    """What a decision may know."""
    listed = [
        cls
        for cls in vars(reads).values()
        if inspect.isclass(cls) and cls.__module__ == reads.__name__ and attrs.has(cls)
    ]
    return page("Reads", Doc(reads).text + "\n", *_values(listed))


def _values(listed: Iterable[type]) -> Iterator[str]:
    for cls in listed:
        yield f"## {cls.__name__}\n"
        yield Doc(cls).whole
        answer = _answer(cls)
        yield f"The answer is {answer}.\n" if answer else ""
        yield fields(cls)


def _answer(cls: type) -> str:
    for base in getattr(cls, "__orig_bases__", ()):
        if typing.get_origin(base) is reads.Read:
            (answer,) = typing.get_args(base)
            return type_of(written(answer))
    return ""


PAGES = {
    "hooks.md": hooks_page,
    "settings.md": settings_page,
    "cli.md": cli_page,
    "errors.md": errors_page,
    "kinds.md": kinds_page,
    "effects.md": effects_page,
    "reads.md": reads_page,
    "names.md": names_page,
}


def main() -> None:
    """Write all pages, to docs/reference or to the folder that is named."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS / "reference"
    folder.mkdir(exist_ok=True)
    for name, make in PAGES.items():
        (folder / name).write_text(make())


if __name__ == "__main__":
    main()
