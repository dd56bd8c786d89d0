"""Audacity (.txt): a label track of episodes: start and stop in seconds, and a label, with tabs between them."""

from pathlib import Path

from fer_batch.exports.tiers import each_video, episodes
from fer_batch.output.results import Results


def write(results: Results, folder: Path) -> None:
    """Write a label track for each video whose times are known."""
    for source, path in each_video(results, folder, ".txt"):
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for episode in episodes(results, source):
                file.write(f"{episode.start:.6f}\t{episode.stop:.6f}\t{episode.who}: {episode.label}\n")
