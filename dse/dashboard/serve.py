"""Serving the dashboard on this computer until it is interrupted."""

from collections.abc import Callable

from dse.dashboard.app import make_app
from dse.dashboard.guard import is_loopback
from dse.dashboard.library import Library
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
    try:
        server = make_server(host, port, make_app(library, host).server, threaded=True)
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
