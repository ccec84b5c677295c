"""The command as a whole: help, versions, exit codes, commands of plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import metadata

import pytest

BROKEN = "raise RuntimeError('this module is broken')"
HEAVY = ("sqlalchemy", "alembic", "cattrs", "structlog", "starlette", "httpx", "pluggy")


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from scrmkit.cli import run_command; run_command(['--help']);"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.splitlines()[-1] == "[]"


def test_the_version_is_printed(run):
    assert run("--version").out == "scrmkit 0.1.0\n"


def test_what_the_terminal_cannot_write_fails_no_command(folder):
    def said(*arguments):
        command = [sys.executable, "-m", "scrmkit.cli", "--settings", "订单😀.toml", *arguments]
        environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environ).stdout

    assert said("init") == "\\u8ba2\\u5355\\U0001f600.toml\n"
    assert "订单😀.toml can be read" in [one["text"] for one in json.loads(said("doctor", "--json"))]


@pytest.mark.parametrize("arguments", [["--help"], ["plugin", "list"], ["doctor"]])
def test_a_broken_plugin_breaks_no_command_that_tells_of_it(run, install, arguments):
    install("scrmkit-broken", {"command.broken": "x", "rule.broken": "X"}, BROKEN)

    ran = run(*arguments)

    assert "Traceback" not in ran.err
    assert "scrmkit" in ran.out


def test_a_command_that_does_not_exist_is_a_wrong_call(run):
    ran = run("docter")

    assert ran.code == 2
    assert "Did you mean 'doctor'?" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("command", "distribution"), [("demo", "scrmkit-demo"), ("segment", "scrmkit-audience"), ("why", "scrmkit-insight")]
)
def test_a_command_of_a_distribution_that_is_not_there_names_it(run, monkeypatch, command, distribution):
    there = [one for one in metadata.distributions() if one.metadata["Name"] == "scrmkit"]
    monkeypatch.setattr(metadata, "distributions", lambda: there)

    ran = run(command)

    assert ran.code == 2
    assert ran.err == f"Error: {command!r} needs {distribution}: pip install {distribution}\n"
    assert command not in run("--help").out.split()


def test_a_plugin_adds_a_command(run, install):
    install(
        "scrmkit-fake",
        {"command.fake": "fake"},
        """
        import click

        @click.command()
        @click.pass_obj
        def fake(context):
            click.echo(context.path.name)
        """,
    )

    assert "About scrmkit-fake (scrmkit-fake)" in run("--help").out
    assert run("--settings", "other.toml", "fake").out == "other.toml\n"


def test_a_command_of_a_plugin_that_cannot_be_imported_is_named(run, install):
    install("scrmkit-broken", {"command.broken": "x"}, BROKEN)

    ran = run("broken")

    assert ran.code == 2
    assert "command.broken (scrmkit-broken 1.0): cannot be imported: RuntimeError" in ran.err
    assert "Traceback" not in ran.err


def test_a_command_for_another_version_is_not_imported(run, install):
    install("scrmkit-old", {"command.old": "x"}, BROKEN, requires="scrmkit<0.1")

    ran = run("old")

    assert ran.code == 2
    assert "made for scrmkit<0.1" in ran.err


def test_a_command_that_two_distributions_provide_is_refused(run, install):
    install("scrmkit-one", {"command.fake": "x"})
    install("scrmkit-two", {"command.fake": "x"})

    ran = run("fake")

    assert ran.code == 2
    assert "scrmkit-one 1.0 and scrmkit-two 1.0" in ran.err


def test_an_error_of_ours_is_one_message_and_exit_code_1(run, install):
    install(
        "scrmkit-fake",
        {"command.fake": "fake"},
        """
        import click
        from scrmkit.errors import StorageUnavailableError

        @click.command()
        def fake():
            raise StorageUnavailableError("the database is away")
        """,
    )

    ran = run("fake")

    assert ran.code == 1
    assert ran.err == ("Error: the database is away\nNothing is half done; try again later.\n")


def test_a_command_may_say_that_it_was_done_in_part(run, install):
    install(
        "scrmkit-fake",
        {"command.fake": "fake"},
        """
        import click

        @click.command()
        @click.pass_context
        def fake(context):
            context.exit(3)
        """,
    )

    assert run("fake").code == 3


def test_settings_that_are_not_there_are_exit_code_2(run, install):
    install(
        "scrmkit-fake",
        {"command.fake": "fake"},
        """
        import click

        @click.command()
        @click.pass_obj
        def fake(context):
            context.settings()
        """,
    )

    ran = run("--settings", "nowhere.toml", "fake")

    assert ran.code == 2
    assert "nowhere.toml: the settings cannot be read (FileNotFoundError)" in ran.err
    assert "scrmkit init" in ran.err
