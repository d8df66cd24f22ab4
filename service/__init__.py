"""The service around the analysis: webhooks, jobs, forges, API and command line."""
