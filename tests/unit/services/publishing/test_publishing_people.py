"""Addresses, passwords and the points a stream resumes from."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.publishing.api.streams import resume_point
from services.publishing.domain.passwords import Passwords
from services.publishing.domain.people import NewPerson


def _person(email: str) -> NewPerson:
    return NewPerson(email=email, name="Ada", password="long enough 1")


@pytest.mark.parametrize("email", ["A@b.example", "a+b@c.d.example", "root@localhost"])
def test_addresses_become_lower_case(email: str) -> None:
    assert _person(email).email == email.lower()


@pytest.mark.parametrize(
    "email", ["", "a", "@b.example", "a@", "a@b", "a@.example", "a b@c.example", "a@b@c.example"]
)
def test_what_is_no_address(email: str) -> None:
    with pytest.raises(ValidationError):
        _person(email)


@given(st.text())
def test_any_text_is_an_address_or_refused(email: str) -> None:
    try:
        taken = _person(email).email
    except ValidationError:
        return
    assert taken.count("@") == 1
    assert not any(char.isspace() for char in taken)


def test_passwords_are_argon2id_and_nobody_has_one() -> None:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash("long enough 1")
    assert stored.startswith("$argon2id$")
    assert passwords.verify(stored, "long enough 1")
    assert not passwords.verify(stored, "long enough 2")
    assert not passwords.verify(None, "nobody has this password")
    assert not passwords.verify("not a hash", "x")


@given(st.text())
def test_any_last_event_id_is_a_point_or_none(text: str) -> None:
    point = resume_point(text)
    assert point is None or text.endswith(point[1])


def test_a_last_event_id_of_ours_is_a_point() -> None:
    point = resume_point("1795426200123-a:site:include:2")
    assert point is not None
    assert (point[0].microsecond, point[1]) == (123000, "a:site:include:2")
