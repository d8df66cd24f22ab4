"""Sign-off: which changed flows are guarded, who agreed to exactly those, and what follows. Pure functions over frozen values."""
