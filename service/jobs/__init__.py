"""The job engine: DBOS on SQLite or PostgreSQL, one review of a subject at a time, taken over from workers that die."""
