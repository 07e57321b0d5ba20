"""Rules of the notifications service. Does no input or output."""
