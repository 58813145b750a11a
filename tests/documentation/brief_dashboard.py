"""Stands for `dse dashboard` where a test runs the documentation: serves, answers one request, and is interrupted."""

import re
import signal
import subprocess
import sys
import urllib.request

arguments = re.sub(r"--port \d+", "--port 0", " ".join(sys.argv[1:])).split()
program = [sys.executable, "-c", "from dse.cli import main; main()", *arguments]
signal.signal(signal.SIGINT, signal.default_int_handler)  # the child would ignore what a background shell ignores
with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as served:
    assert served.stdout is not None
    address = served.stdout.readline().strip()
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert b"dse dashboard" in answer.read()
    finally:
        served.send_signal(signal.SIGINT)
    sys.exit(served.wait(60))
