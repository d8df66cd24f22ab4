"""What a set of Kubernetes manifests allows: pure analysis, with no network, database or clock."""
