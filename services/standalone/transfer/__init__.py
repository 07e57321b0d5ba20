"""Moving whole archives in and out of Herald through its own REST API."""
