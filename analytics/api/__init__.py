"""The figures for other systems: the same as on the desk's pages, as JSON, and cells as rows."""
