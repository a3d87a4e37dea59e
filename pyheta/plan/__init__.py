"""From a sweep to the graph of its steps: read and check, compile, probe for leakage."""
