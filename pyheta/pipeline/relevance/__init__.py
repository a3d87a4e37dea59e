"""How much an exogenous column tells of the target: measures, their level of chance, shaping by
relevance.
"""
