"""Many evaluations to a Pareto front: the search, its resumption, refinement and re-pricing. Alone imports optuna."""
