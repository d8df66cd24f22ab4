"""`flowdelta ci`: the same review inside a CI job, without a server. The job says where to look and lends its token."""
