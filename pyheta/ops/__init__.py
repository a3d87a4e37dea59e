"""The operations, one file each: what a step computes. `registry` lists them and loads none."""
