"""
A plugin framework and SDK for building social CRM (SCRM, 私域) systems.

The public names, each from the module that defines it, loaded on first use:
importing this package loads nothing. ``__init__.pyi`` lists them once, for
type checkers, for editors and for this module.
"""

from functools import cache as _cache
from importlib import import_module as _import_module

__version__ = "0.1.0"


@_cache
def _modules() -> dict[str, str]:
    """Where each public name comes from."""
    import ast
    import pkgutil

    stub = ast.parse(pkgutil.get_data(__name__, "__init__.pyi"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module for node in imports for alias in node.names}


def __getattr__(name: str) -> object:
    if name == "__all__":
        return tuple(sorted(_modules()))
    if name not in _modules():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(_modules()[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_modules()})
