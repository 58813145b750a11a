"""Serving the dashboard on this computer until it is interrupted."""

from collections.abc import Callable
from contextlib import suppress

from costmodels.errors import InputError
from dse.dashboard.app import make_app, shown_first
from dse.dashboard.guard import is_loopback
from dse.dashboard.library import Library, Remembered
from dse.dashboard.payload import shown
from dse.errors import StudyError


def serve(library: Library, host: str, port: int, say: Callable[[str], None], opened: Callable[[str], object]) -> None:
    """Serve until interrupted.

    Args:
        library: the studies on show.
        host, port: where; port 0 takes a free one.
        say: gets the warning of an open host.
        opened: gets the address as soon as it answers.

    Raises:
        StudyError: the port is taken, or the host is not one of this computer.
    """
    from werkzeug.serving import make_server

    if not is_loopback(host):
        say(f"warning: who reaches {host} can read these studies, without a password; leave --host out to stop that")
    memory = Remembered()
    warm(library, memory)
    try:
        server = make_server(host, port, make_app(library, host, memory).server, threaded=True)
    except (OSError, SystemExit) as error:
        raise StudyError(
            f"host and port must be free on this computer, not {host}:{port} ({error}); give another --port"
        ) from None
    shown = f"[{host}]" if ":" in host else host
    opened(f"http://{shown}:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def warm(library: Library, memory: Remembered) -> None:
    """Read the studies that the first page shows, so that it opens at once; one that cannot be read waits for it."""
    for name in shown_first(library):
        with suppress(InputError):
            memory.get(library.folder(name), shown)
