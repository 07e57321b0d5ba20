"""The REST face of publishing. Promises: every refusal is a 4xx problem that names the field."""
