"""A worker: one supervisor that never trains, and N child processes that do nothing else.

The `supervisor` composes three objects: a `claimer`, a `lease` and a `shutdown`. A step goes this
way: `intake` claims it, the `claimer` begins an `attempt`, which stages its inputs (`staging`) and
lets a `slot`'s child compute (`wire`, `child`), where it can together with others (`bundle`); the
`recorder` hands its outcome to the store. The `lease` keeps the claim alive meanwhile, the `reaper`
cleans up after other workers.
"""
