"""Statistics on the losses that runs keep: arrays in, numbers out."""
