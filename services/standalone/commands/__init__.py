"""Groups of the `herald` command."""
