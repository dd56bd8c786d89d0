"""The data of each page of the report."""
