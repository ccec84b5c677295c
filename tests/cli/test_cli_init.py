"""``scrmkit init`` writes a file that can be used at once, and overwrites nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib

from scrmkit.settings import Settings, load_settings


def test_the_file_can_be_used_at_once(run, folder):
    ran = run("init")

    assert ran.code == 0
    assert ran.out == "scrmkit.toml\n"
    settings = load_settings(folder / "scrmkit.toml", {})
    assert settings.tenants == ("main",)
    assert settings.database.reveal() == f"sqlite:///{folder}/scrmkit.db"
    assert len(settings.secret.reveal()) >= 32


def test_what_is_commented_out_is_the_default(run, folder):
    run("init")
    text = (folder / "scrmkit.toml").read_text(encoding="utf-8")
    core, _, _ = text.partition("# The plugins, in the order")
    lines = [re.sub(r"^# ?(?=(\w+(\.\w+)? = |\[|    \{|\]))", "", line) for line in core.splitlines()]

    written = tomllib.loads("\n".join(lines))

    assert set(written["scrmkit"]) == {
        "tenants", "database", "secret", "zone", "durability", "stage_from", "calls", "policy"
    }  # fmt: skip
    (folder / "all.toml").write_text("\n".join(lines).replace('stage_from = "value"', ""))
    made = load_settings(folder / "all.toml", {})
    default = Settings(secret=made.secret, database=made.database)
    assert made == default


def test_the_secret_is_for_its_owner_alone(run, folder):
    run("init")

    if os.name == "posix":
        assert (folder / "scrmkit.secret").stat().st_mode & 0o077 == 0


def test_two_files_have_two_secrets(run, folder):
    run("--settings", "a.toml", "init")
    run("--settings", "b.toml", "init")

    one, other = ((folder / name).read_text() for name in ("a.secret", "b.secret"))
    assert one != other


def test_a_file_that_is_there_is_left_alone(run, folder):
    (folder / "scrmkit.toml").write_text("mine")

    ran = run("init")

    assert ran.code == 2
    assert "scrmkit.toml is there already" in ran.err
    assert (folder / "scrmkit.toml").read_text() == "mine"


def test_installed_plugins_are_suggested(run, folder, install):
    install("scrmkit-fake", {"rule.fake": "Fake"})

    run("init")

    assert '# use = "rule.fake"' in (folder / "scrmkit.toml").read_text()


def test_a_full_disk_leaves_no_half_of_a_file(folder):
    small = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from scrmkit.cli import run_command
sys.exit(run_command(["init"]))
"""
    # -B: a compiled module that is cut off would fail whoever imports it next.
    ran = subprocess.run([sys.executable, "-B", "-c", small], capture_output=True, text=True, check=False)

    assert ran.returncode == 2
    assert "cannot be written" in ran.stderr
    assert list(folder.iterdir()) == []
