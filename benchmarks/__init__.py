"""How fast fer-batch is, compared with its parts alone. ``make bench`` runs it."""
