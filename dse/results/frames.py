"""A study as pandas data frames, for notebooks: what the CSV files hold, with types."""

import pandas as pd

from dse.results.folder import StudyFolder
from dse.results.tables import front_rows, history_rows


def front_frame(study: StudyFolder, refined: bool = False) -> pd.DataFrame:
    """One row per point of the front (of the refined one, which holds longer trainings), indexed by the point's id."""
    points = study.refined_front() if refined else study.front()
    return pd.DataFrame(front_rows(points)).set_index("id") if points else pd.DataFrame()


def history_frame(study: StudyFolder) -> pd.DataFrame:
    """One row per training, in order: seconds, hypervolume, size of the front and the best of each objective."""
    return pd.DataFrame(history_rows(study.networks(), study.objectives))
