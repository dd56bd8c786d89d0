"""Where a video is cut into shots, and which faces are the same from frame to frame."""
