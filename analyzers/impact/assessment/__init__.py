"""Assessment: how much attention what opens deserves, what may break of what closes, where it leads, and what protection is lost."""
