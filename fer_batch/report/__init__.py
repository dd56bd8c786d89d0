"""The HTML report, made from the tables of an output folder alone."""
