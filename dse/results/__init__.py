"""Studies on disk: what a search writes and everything else reads. No optuna, no torch."""

from dse.results.folder import StudyFolder, list_studies, open_study
from dse.results.records import FailureRecord, FrontPoint, NetworkRecord, OwnFront

__all__ = ["FailureRecord", "FrontPoint", "NetworkRecord", "OwnFront", "StudyFolder", "list_studies", "open_study"]
