"""A cluster and what is brought onto it: checked, applied, awaited, asked, removed."""
