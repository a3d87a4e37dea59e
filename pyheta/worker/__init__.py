"""A worker: one supervisor that never trains, and N child processes that do nothing else.

Data flows through it in this order: `intake` claims steps, `attempt` stages their inputs
(`staging`) and lets a `slot`'s child compute (`wire`, `child`), where it can together with others
(`bundle`), and the supervisor records the outcome; `lease` keeps the claim alive meanwhile,
`reaper` cleans up after others.
"""
