"""The HTTP side of the notifications service. Bad input is a 4xx that names the field."""
