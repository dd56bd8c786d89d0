"""Shots, and which face is the same one from frame to frame."""
