"""Searches in processes of their own, for tests that kill them.

``python searching.py`` imports everything once. Each line on stdin is a search to start or resume, in a forked child
whose pid is printed. The child writes what the search says to ``answer`` below its folder, or its error to ``error``.
"""

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import optuna.samplers._random  # noqa: F401  (so that every child has it)
import scipy.stats  # noqa: F401
from stand_in import WORKER

import costmodels.evaluate  # noqa: F401
from dse.study.search import resume, run_search
from dse.study.settings import SearchSettings
from dse.worker import WorkerSettings
from dse.workers import WorkerPool


def pool(settings: WorkerSettings, slots: int, logs: Path) -> WorkerPool:
    """Real processes with a stand-in for training."""
    return WorkerPool(settings, slots, logs, command=WORKER)


def search(data: dict[str, Any]) -> dict[str, Any]:
    """Search, or go on, and say why it stopped."""
    folder = Path(data["results_dir"]) / data["name"]
    if folder.exists():
        result = resume(folder, make_trainers=pool, trials=data["trials"])
    else:
        result = run_search(SearchSettings.from_dict(data, folder), make_trainers=pool)
    return {"stop": result.stop_reason, "trained": result.trained, "front": [point.id for point in result.front]}


def child(data: dict[str, Any], answers: Path) -> None:
    """What a forked child does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(data.pop("environment"))
    try:
        (answers / "answer").write_text(json.dumps(search(data)))
    except BaseException:
        (answers / "error").write_text(traceback.format_exc())


def main() -> None:
    """Fork a search for each line."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        data = json.loads(line)
        answers = Path(data.pop("answers"))
        pid = os.fork()
        if pid == 0:
            child(data, answers)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
