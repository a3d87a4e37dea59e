"""The step from each row to the next."""
