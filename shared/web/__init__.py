"""What every service's HTTP side shares. Promises: bad input is a 4xx that names the field, never a 5xx."""
