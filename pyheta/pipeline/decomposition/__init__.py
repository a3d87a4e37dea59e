"""Series into components that add up to them, causal at every row or over the whole series."""
