"""From files to a cluster: reading trees, parsing manifests, taking the inventory."""
