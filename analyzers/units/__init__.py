"""Units: what of a repository is deployed as one, found without rendering anything. Pure."""
