"""``scrmkit run``: callbacks, delivery and timers in one process."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import note, print_json
from scrmkit.errors import InvalidValueError, MissingExtraError, ScrmkitError

if TYPE_CHECKING:
    from scrmkit.engine import Engine


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="Where to listen; 0 picks a free port.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=4,
    show_default=True,
    help="How many send at the same time in each lane.",
)
@click.option(
    "--no-delivery", is_flag=True, help="Take callbacks in and no more; with PostgreSQL other processes do the rest."
)
@click.option(
    "--grace",
    type=click.IntRange(1, 3600),
    default=30,
    show_default=True,
    help="Seconds that what is under way has to finish when the process is told to end.",
)
@click.option("--json", "as_json", is_flag=True, help="Say where it listens as one line of JSON.")
@click.pass_context
def run(
    click_context: click.Context, /, host: str, port: int, threads: int, no_delivery: bool, grace: int, as_json: bool
) -> None:
    """
    Take platforms' callbacks, deliver, and fire timers, until told to end.

    Platforms call /callbacks/NAME, NAME being the configured channel's; /healthz
    and /readyz are for whoever watches the process. SIGTERM and SIGINT end it
    when what is under way is finished.
    """
    context: CliContext = click_context.obj
    serve = _server()
    with _listening(host, port) as listener, context.engine(log_level="info") as engine:
        told = _Announcement(listener, as_json)
        if not no_delivery:
            engine.start(threads=threads)
        try:
            serve(engine, listener, grace, told)
        finally:
            finished = engine.stop(timedelta(seconds=grace))
    if not finished:
        raise ScrmkitError(f"not all was finished in {grace} s; the next start takes it up again")
    note("Ended; all that was under way is finished.")


class _Announcement:
    """Says where the process listens, once it does."""

    def __init__(self, listener: socket.socket, as_json: bool) -> None:
        host, port = listener.getsockname()[:2]
        self._url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._as_json = as_json

    def __call__(self) -> None:
        if self._as_json:
            print_json({"url": self._url, "pid": os.getpid()})
        note(f"Listening on {self._url}; Ctrl-C or SIGTERM ends it.")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InvalidValueError(
            f"cannot listen on port {port} of {host} ({error.strerror}); choose another --port"
        ) from None
    with listener:
        yield listener


def _server() -> Callable[[Engine, socket.socket, int, Callable[[], None]], None]:
    """
    What serves a listening socket until the process is told to end.

    Raises:
        MissingExtraError: The web part is not installed.
    """
    try:
        import uvicorn

        from scrmkit.web import create_app
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"'scrmkit run' needs {error.name}: pip install 'scrmkit[web]'") from None

    class Server(uvicorn.Server):
        announce: Callable[[], None]

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                self.announce()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # Uvicorn's own way ends by raising the signal again, and so not with 0.
            signals = (signal.SIGTERM, signal.SIGINT)
            before = {each: signal.signal(each, self.handle_exit) for each in signals}
            try:
                yield
            finally:
                for each, handler in before.items():
                    signal.signal(each, handler)

    def serve(engine: Engine, listener: socket.socket, grace: int, announce: Callable[[], None]) -> None:
        def is_ready() -> bool:
            return not server.should_exit

        app = create_app(engine, is_ready=is_ready)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=grace,
        )
        server = Server(config)
        server.announce = announce
        server.run(sockets=[listener])

    return serve
