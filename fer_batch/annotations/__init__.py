"""What users write by hand: who the people are, and what happened when."""
