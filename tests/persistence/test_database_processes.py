"""Several processes on one database: SQLite has one writer, PostgreSQL many."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scrmkit.errors import SecondWriterError, StorageUnavailableError
from scrmkit.persistence.database import Database

WRITE = """
import sys
from scrmkit.persistence.database import Database
from scrmkit.errors import SecondWriterError
try:
    made = Database(sys.argv[1], writes=sys.argv[2] == "write")
except SecondWriterError as error:
    print("refused:", error, flush=True)
else:
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def second_process() -> Iterator[Callable[[str, str], subprocess.Popen[str]]]:
    """Open a database in another process, which keeps it until the test is over."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, what: str = "write") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, url, what], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_second_writing_process_is_told_to_use_postgresql(sqlite_database, second_process):
    answer = said(second_process(str(sqlite_database.engine.url)))

    assert answer.startswith("refused: another process already writes")
    assert "PostgreSQL" in answer


def test_a_second_process_may_read(sqlite_database: Database, second_process):
    assert said(second_process(str(sqlite_database.engine.url), "read")) == "open\n"


def test_another_name_of_the_same_file_is_the_same_file(new_sqlite: Callable[[], str], tmp_path: Path, second_process):
    url = new_sqlite()
    link = tmp_path / "link.db"
    link.symlink_to(url.removeprefix("sqlite:///"))
    database = Database(url)

    assert said(second_process(f"sqlite:///{link}")).startswith("refused")
    database.close()


def test_a_file_is_free_again_when_its_process_is_killed(new_sqlite: Callable[[], str], second_process):
    url = new_sqlite()
    process = second_process(url)
    assert said(process) == "open\n"
    with pytest.raises(SecondWriterError):
        Database(url)

    process.kill()
    process.wait()

    Database(url).close()


def test_a_file_is_free_again_when_it_is_closed(new_sqlite: Callable[[], str], second_process):
    url = new_sqlite()
    Database(url).close()

    assert said(second_process(url)) == "open\n"


def test_several_processes_write_to_postgresql(new_postgresql, second_process):
    url = new_postgresql()
    database = Database(url)

    assert said(second_process(url)) == "open\n"
    database.close()


def test_a_folder_that_nobody_may_write_to_is_an_error_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StorageUnavailableError, match=r"scrmkit\.database"):
        Database(f"sqlite:///{tmp_path / 'file' / 'engine.db'}")
