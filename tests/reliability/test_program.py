"""Faults as a user meets them: what the program says, its exit code, and what is kept."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from program import Program, ended

from dse.results import open_study

CLOCK = r"""
#include <dlfcn.h>
#include <time.h>
#include <unistd.h>
#include <stdlib.h>
#include <sys/time.h>
static time_t back(void) { return access(getenv("CLOCK_BACK"), F_OK) ? 0 : 86400; }
int clock_gettime(clockid_t id, struct timespec *t) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, t);
  if (id == CLOCK_REALTIME) t->tv_sec -= back();
  return result;
}
int gettimeofday(struct timeval *t, void *zone) {
  struct timespec now;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec, t->tv_usec = now.tv_nsec / 1000;
  return result;
}
time_t time(time_t *t) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (t) *t = now.tv_sec;
  return now.tv_sec;
}
"""
"""Steps the wall clock of a process back by a day once the file that CLOCK_BACK names is there."""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs a C compiler")
def test_a_clock_that_steps_back_by_a_day_changes_nothing(program: Program, tmp_path: Path) -> None:
    source, library, signal_file = tmp_path / "clock.c", tmp_path / "clock.so", tmp_path / "back"
    source.write_text("#define _GNU_SOURCE\n" + CLOCK)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    process = program.search(trials=8, delay_s=0.1, LD_PRELOAD=str(library), CLOCK_BACK=str(signal_file))
    program.until(process, lambda: program.networks() >= 3)
    signal_file.touch()
    assert ended(process)[0] == 0
    folder = open_study(program.study)
    (session,) = folder.manifest.sessions
    assert session.finished < session.started  # the clock did step
    assert 0 < session.seconds < 3600
    times = [record.elapsed_s for record in folder.networks()]
    assert times == sorted(times)
    assert len(times) == 8
    code, _ = ended(program.start("search", "--resume", str(program.study), "--trials", "10", "--refine", "0"))
    assert (code, program.networks()) == (0, 10)


def test_a_second_search_on_one_study_is_refused_and_names_the_first(program: Program) -> None:
    first = program.search(trials=400, delay_s=0.2)
    program.until(first, lambda: program.networks() >= 1)
    code, said = ended(program.resume())
    assert (code, said.count("dse: ")) == (2, 1)
    assert f"study {program.study} must be free, not in use by process {first.pid} on " in said
    first.send_signal(signal.SIGTERM)
    code, said = ended(first)
    assert code == 130
    assert f"Go on with: dse search --resume {program.study}" in said


def test_ctrl_c_twice_ends_at_once_and_nothing_finished_is_lost(program: Program) -> None:
    process = program.search(trials=400, delay_s=0.1)
    program.until(process, lambda: program.networks() >= 2)
    program.until(process, lambda: stopped_in_a_training(program, psutil.Process(process.pid).children()[0]))
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # of the 3 s in which a clean end waits for the training
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert said.endswith("Interrupted before a clean end; what was kept goes on with: dse search --resume STUDY\n")
    kept = program.networks()
    assert kept >= 2
    more = str(kept + 2)
    code, _ = ended(program.start("search", "--resume", str(program.study), "--trials", more, "--refine", "0"))
    assert (code, program.networks()) == (0, kept + 2)


def stopped_in_a_training(program: Program, worker: psutil.Process) -> bool:
    """Stop the only worker, unless it is between two trainings."""
    worker.suspend()
    begun = len((program.folder / "begun").read_text().split())
    if begun == program.trainings().total() + 1:
        return True
    worker.resume()
    return False


def test_data_that_change_under_a_running_search_end_it_in_words(program: Program) -> None:
    process = program.search(trials=400, delay_s=0.1)
    program.until(process, lambda: program.networks() >= 2)
    (program.folder / "digest").write_text("other")
    os.kill(psutil.Process(process.pid).children()[0].pid, signal.SIGKILL)
    code, said = ended(process)
    assert code == 2
    assert "must find the data digest dddddddddddddddd, not other: files have changed under the running search" in said
    kept = program.networks()
    code, said = ended(program.resume())
    assert code == 2
    assert f"data of {program.study} must be those it began with (dddddddddddddddd), not other" in said
    (program.folder / "digest").unlink()
    more = str(kept + 2)
    code, _ = ended(program.start("search", "--resume", str(program.study), "--trials", more, "--refine", "0"))
    assert (code, program.networks()) == (0, kept + 2)


@pytest.mark.parametrize("cut", ["torn", "lines"])
def test_a_truncated_log_of_networks_costs_what_was_cut_and_no_more(program: Program, cut: str) -> None:
    assert ended(program.search(trials=6))[0] == 0
    path = program.study / "networks.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]) + lines[5][:40] if cut == "torn" else b"".join(lines[:3]))
    assert ended(program.resume())[0] == 0
    records = open_study(program.study).networks()
    assert [record.number for record in records] == list(range(6))
    assert len({record.digest for record in records}) == 6
    assert path.read_bytes().splitlines(keepends=True)[:3] == lines[:3]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        (
            "manifest.json",
            '{"format": 99, "study": "study"}',
            "must be of format 1 or older, not 99; install a newer",
        ),
        ("manifest.json", '{"format": 1, "stu', "must be readable JSON, not damaged"),
        ("networks.jsonl", "{}\n{]\n", "networks.jsonl:2 must be a JSON object, not damaged"),
        ("study.db", "SQLite format 3\0garbage", "must be the database of a study, not damaged"),
    ],
)
def test_damaged_and_newer_studies_are_refused_in_words(
    program: Program, file: str, content: str, message: str
) -> None:
    shutil.copytree(reference(program), program.study)
    (program.study / file).write_text(content)
    code, said = ended(program.resume())
    assert code == 2
    assert message in said
    assert (program.study / file).read_text() == content


def reference(program: Program) -> Path:
    """A whole study, made once for all tests of this process."""
    kept = program.folder.parent / "whole"
    if not kept.exists():
        assert ended(program.search(trials=2))[0] == 0
        program.study.rename(kept)
    return kept
