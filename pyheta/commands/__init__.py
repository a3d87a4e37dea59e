"""The commands, one file each, named after it: what a command reads, does and shows.

`pyheta report` is the room `report`, `pyheta schema` is `sweep/schema.py`. `session` is what all
commands share; `follow` watches a sweep for `run` and `status`, `status_view` shows it.
"""
