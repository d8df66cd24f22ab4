"""The job engine: DBOS on SQLite, one review per pull request at a time, resumed after a crash."""
