"""What is installed: read from the distributions' metadata, never by importing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from importlib import metadata
from operator import attrgetter
from typing import Any

import attrs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from scrmkit import __version__
from scrmkit.errors import MissingExtraError, PluginError
from scrmkit.settings.structure import did_you_mean

GROUP = "scrmkit"
CONFIGURED = ("rule", "mechanic", "channel", "connector", "scorer", "hooks")
"""The families that ``[plugins.NAME]`` makes objects of."""
FAMILIES = (*CONFIGURED, "command", "sandbox", "settings", "worker")
"""And those that need no table: ``settings.NAME`` reads a table beside ``[plugins]`` itself."""
_TYPE = re.compile(r"[a-z0-9][a-z0-9_-]*")


@attrs.frozen(kw_only=True)
class Found:
    """
    One thing that a distribution, or the program itself, provides.

    Attributes:
        name: ``family.type``, such as ``channel.wecom``.
        distribution: Empty for what the program itself brings.
        problem: Why it cannot be used, empty where nothing is known against it.
        range: What the distribution asks of scrmkit's version, such as
            ``<0.2,>=0.1``; empty where it asks nothing.
        load: Imports it; raises whatever its module raises.
    """

    name: str
    distribution: str = attrs.field(default="", validator=attrs.validators.instance_of(str))
    version: str = ""
    problem: str = ""
    range: str = ""
    load: Callable[[], Any] = attrs.field(repr=False, eq=False)

    @property
    def family(self) -> str:
        """What comes before the dot."""
        return self.name.partition(".")[0]

    @property
    def type(self) -> str:
        """What comes after the dot."""
        return self.name.partition(".")[2]

    @property
    def whose(self) -> str:
        """The distribution and its version, for messages."""
        return f"{self.distribution} {self.version}" if self.distribution else "this program"


def discover() -> tuple[Found, ...]:
    """
    Everything that is installed, by name and distribution; imports nothing.

    Of two copies of a distribution the first on the path counts. One whose
    metadata cannot be read is there with its problem and an empty name.
    """
    found: list[Found] = []
    for distribution in metadata.distributions():
        try:
            points = distribution.entry_points.select(group=GROUP)
            found += [_found(point, distribution) for point in points]
        except Exception:  # noqa: BLE001 - whatever the metadata's reader raises
            text = distribution.read_text("entry_points.txt") or ""
            found += [_unreadable(distribution)] if f"[{GROUP}]" in text else []
    first = {(one.name, canonicalize_name(one.distribution)): one for one in reversed(found)}
    return tuple(sorted(first.values(), key=attrgetter("name", "distribution")))


def load_worker() -> Callable[[Any], Any]:
    """
    What makes the worker that is installed, from an engine.

    Raises:
        MissingExtraError: There is none.
        PluginError: There are several, or it cannot be used.
    """
    found = [one for one in discover() if one.family == "worker"]
    if not found:
        raise MissingExtraError("whoever delivers is not installed: pip install scrmkit-worker")
    make: Callable[[Any], Any] = the_one("worker", found).load()
    return make


def the_one(name: str, found: Sequence[Found], hint: str = "") -> Found:
    """
    What is installed as *name*, of all that was found.

    Raises:
        PluginError: It is not one thing that can be used.
    """
    if not found:
        problem = f"nothing that is installed provides {name!r}{hint}"
    elif len(found) > 1:
        whose = " and ".join(one.whose for one in found)
        problem = f"{name!r} is provided by {whose}; uninstall all but one"
    elif found[0].problem:
        problem = f"{found[0].whose}: {found[0].problem}"
    else:
        return found[0]
    raise PluginError([problem])


def _found(point: metadata.EntryPoint, distribution: metadata.Distribution) -> Found:
    family, _, kind = point.name.partition(".")
    problem, wanted = "", _range(distribution)
    if family not in FAMILIES:
        problem = f"{family!r} is no family of plugins{did_you_mean(family, FAMILIES)}"
    elif not _TYPE.fullmatch(kind):
        problem = "an entry point is named family.type, the type of a-z 0-9 - _"
    # A development version of a release counts as that release.
    elif not wanted.contains(Version(__version__).base_version, prereleases=True):
        problem = f"it is made for scrmkit{wanted}, and this is {__version__}; install another"
    return Found(
        name=point.name,
        distribution=distribution.metadata["Name"],
        version=distribution.metadata["Version"],
        problem=problem,
        range=str(wanted),
        load=point.load,
    )


def _unreadable(distribution: metadata.Distribution) -> Found:
    files = getattr(distribution, "_path", None)
    name = str(getattr(files, "name", "a distribution")).partition("-")[0]
    problem = "its metadata cannot be read; install it again"
    return Found(name="", distribution=name, problem=problem, load=lambda: None)


def _range(distribution: metadata.Distribution) -> SpecifierSet:
    """The range of our versions that a distribution asks for."""
    for line in distribution.requires or ():
        with contextlib.suppress(InvalidRequirement):
            wanted = Requirement(line)
            applies = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
            if applies and canonicalize_name(wanted.name) == "scrmkit":
                return wanted.specifier
    return SpecifierSet()
