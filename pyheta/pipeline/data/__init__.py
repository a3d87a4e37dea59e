"""Data sets: where they come from, how they are read, what is refused, what is known of them."""
