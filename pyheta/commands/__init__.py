"""The commands, one file each, named after it: what a command reads, does and shows."""
