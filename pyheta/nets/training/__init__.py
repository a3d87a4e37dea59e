"""The training loop of a net, whatever computes it: options, batches, rates, when to stop, what to
keep.
"""
