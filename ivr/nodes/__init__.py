"""Every node type, one file each."""
