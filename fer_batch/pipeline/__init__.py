"""A whole run: planning, workers, checkpoints, progress, and the forecast of a run."""
