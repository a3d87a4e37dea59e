"""The bytes of a data file as a table of what stands there: nothing is checked yet."""
