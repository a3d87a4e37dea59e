"""The answer to a sweep: one table, built of its runs, and the forms it is written in.

`read` gets the runs and the `losses` that they keep, `table` lays them out in `cells` under
`labels`, `marks` says by `judging` what is best and what cannot be told apart, `wording` turns that
into words and digits, `formats` into what is printed. What explains a sweep (`relevance`,
`importance`, `shapley`) is a `grid` of words.
"""
