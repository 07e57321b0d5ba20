"""What the routes about people have in common in the reference: their chapters, and how one is refused."""

from __future__ import annotations

from shared.web.description import Refusal, Tag

SIGNING_IN = Tag("Signing in", "Sessions for people, tokens for programs. Each carries its role.")
OWN_ACCOUNT = Tag("Your account", "Who you are, your password, your second factor.")
PEOPLE = Tag("People", "Who may sign in, and how far they may go.")

THROTTLED = Refusal(
    429,
    "Too many failed sign-ins",
    "password",
    "too many failed sign-ins; try again in 540 s",
    headers=("Retry-After",),
)
NOT_PROVEN = Refusal(403, "Show again who you are", "password", "the password is wrong")
CODE_NOT_PROVEN = Refusal(
    403, "Show again who you are", "code", "the code is wrong, too old, or was used before"
)
NO_PERSON = Refusal(404, "There is no such user", "id")
"""For a token that is no person's, as the command line's own."""
ONLY_ADMIN = Refusal(
    403,
    "Your role does not allow this",
    "Authorization",
    "only an admin sees where others are signed in",
)
