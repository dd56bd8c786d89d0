"""One video file: its index, its timestamps, and its decoded frames."""
