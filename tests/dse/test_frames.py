"""Data frames hold what the CSV files of a study hold."""

from pathlib import Path

import pandas as pd
import pytest

from dse.results import open_study
from dse.results.frames import front_frame, history_frame


def test_frames_equal_the_files(finished_study: Path) -> None:
    study = open_study(finished_study)
    written = pd.read_csv(finished_study / "front.csv", index_col="id", keep_default_na=False)
    frame = front_frame(study)
    assert list(frame.index) == list(written.index)
    assert list(frame.columns) == list(written.columns)
    assert frame["energy_uj"].tolist() == pytest.approx(written["energy_uj"].astype(float).tolist())
    assert set(front_frame(study, refined=True)["fidelity"]) == {"refined"}
    history = history_frame(study)
    assert history["trainings"].tolist() == list(range(1, len(study.networks()) + 1))
    assert history["hypervolume"].is_monotonic_increasing
