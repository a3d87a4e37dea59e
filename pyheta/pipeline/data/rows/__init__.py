"""Which rows there are, and what is done about those that are missing, double or out of order."""
