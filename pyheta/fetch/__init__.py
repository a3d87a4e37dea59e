"""What gives a data set's bytes: addresses in the web, databases, services."""
