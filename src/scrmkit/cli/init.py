"""``scrmkit init``: a commented settings file, and a secret beside it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import note
from scrmkit.errors import SettingsError

_TEMPLATE = """\
# The settings of scrmkit. Unknown keys are refused; what is commented out is the default.
# Scalars of [scrmkit] can be overridden by the environment: SCRMKIT_DATABASE, SCRMKIT_SECRET,
# SCRMKIT_ZONE, SCRMKIT_DURABILITY, SCRMKIT_STAGE_FROM, SCRMKIT_CALLS_BUDGET_MS,
# SCRMKIT_CALLS_QUARANTINE_AFTER.

[scrmkit]
# Who works with this database; each sees nothing of the others. Ids of 1-32 of a-z 0-9 - _.
tenants = ["main"]

# A relative file lies beside this one. A URL with a password does not stand here: write
# { env = "NAME" } or { file = "PATH" } instead. PostgreSQL: postgresql+psycopg://host/name
database = "sqlite:///scrmkit.db"

# Seeds chance and signs. Keep it as long as the database, and out of version control.
secret = { file = "SECRET_FILE" }

# The zone of customers and shops of whom no other is known.
# zone = "Asia/Shanghai"

# When SQLite calls a commit done: "full" when the disk has it; "normal" is faster, and a power
# cut may lose the last commits.
# durability = "full"

# Whose lifecycle stage is the customer's: the name of a scorer below.
# stage_from = "value"

# A plugin's call that takes longer is an overrun; so many failures or overruns in a row and
# the plugin is not asked any more.
# calls.budget_ms = 50
# calls.quarantine_after = 20

# The contact policy: every message passes it.
# [scrmkit.policy]
# quiet = { start = "21:00", end = "09:00" }   # no marketing then; false for none
# consent = ["marketing"]                       # purposes that need a consent
# caps = [
#     { purpose = "marketing", limit = 1, days = 1 },
#     { purpose = "marketing", limit = 4, days = 7 },
# ]

# The plugins, in the order in which they are asked. The name in the brackets is yours; "use"
# says which plugin it is. "enabled = false" switches one off; "tenant" keeps it to one tenant;
# all other keys are the plugin's own: 'scrmkit plugin info NAME' lists them.
"""


@click.command()
@click.pass_obj
def init(context: CliContext) -> None:
    """Write a commented settings file; one that is there is left alone."""
    path = context.path
    secret = path.with_suffix(".secret")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _create(path, _TEMPLATE.replace("SECRET_FILE", secret.name) + _plugins(), 0o644)
    except FileExistsError:
        raise SettingsError([f"{path} is there already; move it away or name another"]) from None
    except OSError as error:
        raise SettingsError([f"{path} cannot be written: {error.strerror}"]) from None
    click.echo(str(path))
    if not secret.exists():
        _create(secret, secrets.token_urlsafe(32) + "\n", 0o600)
        note(f"Wrote {path}, and a new secret to {secret}: keep that out of version control.")
    note("Next: 'scrmkit doctor' checks it, 'scrmkit db upgrade' makes the database.")


def _create(path: Path, text: str, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        path.unlink()  # half a file would stand in the way of the next try
        raise


def _plugins() -> str:
    from scrmkit.plugins import CONFIGURED, discover

    found = [one for one in discover() if one.family in CONFIGURED and not one.problem]
    if not found:
        return "#\n# No plugin is installed yet.\n"
    return "".join(f'\n# [plugins.{one.type}]          # {one.whose}\n# use = "{one.name}"\n' for one in found)
