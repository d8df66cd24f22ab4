"""The nouns of the analysis: frozen values that every stage shares."""
