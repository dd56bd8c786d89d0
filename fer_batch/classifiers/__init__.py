"""Emotion classifiers: one protocol, one file for each runtime."""
