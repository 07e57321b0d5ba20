"""The REST side of the social service."""
