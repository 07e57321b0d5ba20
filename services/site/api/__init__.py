"""The readers' addresses. Reads only: no request changes an article."""
