"""How fast fer-batch is, held against what its parts could do alone. ``make bench`` runs it."""
