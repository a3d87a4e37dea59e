"""What computes an epoch: torch's autograd, compiled kernels on a CPU, stacks of nets on a GPU."""
