"""Programs for people who work on Flowdelta; none of them is part of it."""
