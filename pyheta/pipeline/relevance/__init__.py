"""How much an exogenous column tells of the target: measures, chance, shaping by relevance."""
