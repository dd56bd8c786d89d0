"""The files of an output folder: their columns, and how they are written and read back."""
