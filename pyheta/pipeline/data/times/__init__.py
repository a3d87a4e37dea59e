"""When rows are: which columns say it, and how it is written."""
