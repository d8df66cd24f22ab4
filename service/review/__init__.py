"""The use case: a pull request becomes two trees, a report, one comment and one status, as a durable job."""
