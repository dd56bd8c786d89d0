"""Draws into videos and photos what their timelines say, or hides every face in them, and writes them anew."""
