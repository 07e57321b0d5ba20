"""What an operator states to reach a service by an Apprise address. Never shows the address: it is all secrets."""

from __future__ import annotations

from urllib.parse import parse_qsl

from pydantic import SecretStr, field_validator

from services.social.channels.apprise.reach import FILES, GENERAL_OPTIONS, OWN, scheme_of
from services.social.channels.campaign import CampaignWord, LinkingSettings

MOST_CHARACTERS = 2000


class AppriseSettings(LinkingSettings):
    """One service, one target."""

    url: SecretStr
    """As Apprise writes it, e.g. `gotifys://push.example.org/TOKEN`; its documentation has each service's."""
    utm_source: CampaignWord = "apprise"

    @field_validator("url")
    @classmethod
    def _reachable(cls, value: SecretStr) -> SecretStr:
        """Refuses what can be told from the address alone, in words that repeat nothing of it."""
        address = value.get_secret_value()
        if len(address) > MOST_CHARACTERS:
            raise ValueError(f"must have at most {MOST_CHARACTERS} characters")
        if not address.isprintable() or any(character.isspace() for character in address):
            raise ValueError("must be one address, without spaces")
        scheme = scheme_of(address)
        if scheme in OWN:
            raise ValueError(
                f"this network is the channel {OWN[scheme]!r}, which can do more there"
            )
        if scheme not in FILES:
            raise ValueError(f"must begin with one of these and ://: {', '.join(sorted(FILES))}")
        options = {name.lower() for name, _ in parse_qsl(address.partition("?")[2], True)}
        if refused := options & GENERAL_OPTIONS:
            raise ValueError(
                f"must not set what is not the service's own: {', '.join(sorted(refused))}"
            )
        return value
