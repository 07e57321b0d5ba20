"""What a person says about a picture: its words, the point that matters, and the cuts to show."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from services.publishing.domain.fields import Fraction, Line, MediaId, Text, Written

Ratio = Literal["16x9", "4x3", "1x1"]
Side = Annotated[float, Field(ge=0.001, le=1)]
"""At least a thousandth, so that the cut of a real picture is never less than a pixel."""
_ROUNDING = 1e-6
"""How far a cut may reach beyond the edge because a console divided pixels; it is drawn back."""


class CropText(Written):
    """The part to show, as fractions of the picture's width and height from top left."""

    x: Fraction
    y: Fraction
    width: Side
    height: Side

    @model_validator(mode="before")
    @classmethod
    def _drawn_back(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        drawn = dict(value)
        for start, side in (("x", "width"), ("y", "height")):
            at, length = drawn.get(start), drawn.get(side)
            if not isinstance(at, int | float) or not isinstance(length, int | float):
                continue
            if 0 <= at <= 1 and length > 0 and 1 < at + length <= 1 + _ROUNDING:
                drawn[side] = 1 - at
        return drawn

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for start, side in (("x", "width"), ("y", "height")):
            if getattr(self, start) + getattr(self, side) > 1:
                raise ValueError(f"must lie inside the picture: {start} + {side} is more than 1")
        return self


class LeadImageText(Written):
    """A picture and its words. `focus` is the point to keep when cropping, 0 to 1 from top left."""

    media_id: MediaId
    alt: Annotated[Line, Field(max_length=1000)] = ""
    caption: Annotated[Text, Field(max_length=1000)] | None = None
    credit: Annotated[Line, Field(max_length=200)] | None = None
    focus: tuple[Fraction, Fraction] = (0.5, 0.5)
    crops: dict[Ratio, CropText] = Field(default_factory=dict)
    """Cuts that a person chose, by the ratio of width to height."""

    @classmethod
    def stored(cls, document: dict[str, Any]) -> LeadImageText:
        """What was accepted before, back from the database."""
        crops = {
            ratio: CropText.model_construct(**one)
            for ratio, one in document.get("crops", {}).items()
        }
        focus = tuple(document.get("focus", (0.5, 0.5)))
        return cls.model_construct(**{**document, "focus": focus, "crops": crops})


class InlineImageText(LeadImageText):
    """The words of a picture that the body shows as `/media/<media_id>/<file>`."""
