"""A slow twin of the cost model: walks the loops of docs/cost-model.md and counts; shares no code with the model."""
