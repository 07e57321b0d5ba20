"""States and verifiers: as RFC 7636 writes them, never twice, and stored only as what nobody can come back with."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from services.social.oauth.proof import challenge, new_state, new_verifier, remembered


def test_the_challenge_is_that_of_the_rfc() -> None:
    # RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_verifiers_have_the_characters_and_the_length_that_the_rfc_asks_for() -> None:
    made = {new_verifier() for _ in range(100)}
    assert len(made) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", one) for one in made)


def test_states_are_never_the_same() -> None:
    assert len({new_state() for _ in range(100)}) == 100


@given(st.text(max_size=200))
def test_what_is_remembered_of_any_text_does_not_tell_it(state: str) -> None:
    kept = remembered(state)
    assert re.fullmatch(r"[0-9a-f]{64}", kept)
    assert kept == remembered(state) != state
