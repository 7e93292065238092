"""The comparison as one HTML file that opens from disk and asks nobody for anything."""
