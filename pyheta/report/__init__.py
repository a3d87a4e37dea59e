"""The answer to a sweep: one table, built from its runs alone, and the forms it is written in.

`read` gets the runs, `table` lays them out in `cells` under `labels`, `wording` turns them into
words and digits, `formats` into what is printed. What explains a sweep (`relevance`, `importance`,
`shapley`) is a `grid` of words.
"""
