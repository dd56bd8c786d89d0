"""From a timeline's rows to numbers: summaries, episodes, smoothing, baselines, persons and groups."""
