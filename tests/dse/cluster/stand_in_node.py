"""Loaded by a Dask worker before it starts: its training processes train a stand-in."""

from stand_in import WORKER

from dse.cluster import node

node.COMMAND = WORKER
