"""How a net is trained, whatever computes it: options, losses, schedules, the loop, resuming."""
