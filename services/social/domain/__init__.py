"""Rules of the social service. Does no input or output."""
