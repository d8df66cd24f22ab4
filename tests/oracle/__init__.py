"""The independent examiner: a plain evaluator of NetworkPolicy on raw manifest documents, and random clusters to ask it about.

It answers point by point and shares nothing with the product (an import contract holds it to that), so that an error of one
is not repeated by the other. `reading` and `evaluator` are the semantics, `points` and `tables` ask them about everything that
matters, `clusters`, `policies` and `mutate` invent input, `files` writes it down, `expand` reads what the product answered.
"""
