"""Videos and photos: finding them, and decoding them to upright frames with true times."""
