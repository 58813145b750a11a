"""Data sets: found, verified, decoded and divided; `dse.data.fetching` downloads them."""

from dse.data.check import check_dataset, list_datasets
from dse.data.dataset import Dataset, Split
from dse.data.loading import load, load_test
from dse.data.registry import DATASETS

__all__ = ["DATASETS", "Dataset", "Split", "check_dataset", "list_datasets", "load", "load_test"]
