"""Studies: their cells, what those wait for, and the record of them on disk."""
