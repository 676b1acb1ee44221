"""Several machines: network namespaces."""
