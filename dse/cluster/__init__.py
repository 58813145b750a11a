"""Trainings on other machines through Dask: the coordinator keeps the study, workers turn genomes into scores."""
