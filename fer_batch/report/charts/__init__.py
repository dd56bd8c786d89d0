"""Charts of the report: their data, and how they are drawn."""
