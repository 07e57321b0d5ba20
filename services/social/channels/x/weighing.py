"""Counts a post as X counts it: twitter-text, configuration version 3. Never counts less than the network.

Source: the documentation "Counting characters" and the public rules of twitter-text: the text in NFC, any
link 23, any emoji sequence 2, Latin and its neighbours 1 a character, all else 2.
"""

from __future__ import annotations

import unicodedata

import regex

from services.social.channels.x.addresses import addresses

LINK = 23
DEFAULT_WEIGHT = 2

_TONE = r"[\U0001F3FB-\U0001F3FF]"
# What takes a variation selector with it: what is text by default, and these few that are not.
_VARIABLE = (
    r"[[[\p{Emoji}--\p{Emoji_Presentation}]--[#*0-9©®™♟♾⚧]]"
    r"||[⌚⌛◽◾☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛔⛪⛲⛳⛵⛺⛽❗⬛⬜⭐⭕🀄🈚🈯]]"
)
# The bases of Unicode 11, whose sequences version 3 knows; a newer one is counted part by part.
_TONED = (
    r"[\p{Emoji_Modifier_Base}--[\U0001F46A-\U0001F46D\U0001F46F\U0001F48F\U0001F491\U0001F90C"
    r"\U0001F90F\U0001F91D\U0001F93C\U0001F977\U0001F9BB\U0001F9CD-\U0001F9CF\U0001FA70-\U0001FAFF]"
    r"||[⛷]]"
)
_FLAGS = """
    AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
    BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO
    DZ EA EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT
    GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR
    KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU
    MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
    QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG
    TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA
    ZM ZW
"""
"""Countries and regions that have a flag."""
_LETTER = 0x1F1E6 - ord("A")
_EMOJI = regex.compile(
    "|".join(
        (
            rf"[👨👩]{_TONE}?\u200d(?:[⚕⚖✈]\ufe0f|[🌾🍳🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦰-🦳])",
            rf"[🏋🏌🕴🕵⛹](?:{_TONE}|\ufe0f)\u200d[♀♂]\ufe0f",
            rf"[🏃🏄🏊👮👱👳👷💁💂💆💇🙅-🙇🙋🙍🙎🚣🚴-🚶🤦🤵🤷-🤹🤽🤾🦸🦹🧖-🧝]{_TONE}?\u200d[♀♂]\ufe0f",
            r"[👯🤼🧞🧟]\u200d[♀♂]\ufe0f",
            r"(?:👨\u200d❤\ufe0f\u200d(?:💋\u200d)?👨|👩\u200d❤\ufe0f\u200d(?:💋\u200d)?[👨👩])",
            r"(?:👨(?:\u200d[👨👩])?|👩(?:\u200d👩)?)\u200d(?:👦\u200d👦|👧\u200d[👦👧]|[👦👧])",
            r"🏳\ufe0f\u200d🌈|🏴\u200d☠\ufe0f|👁\u200d🗨",
            r"[#*0-9]\ufe0f?\u20e3",
            r"[©®™♟]\ufe0f",
            rf"(?:[☝⛷⛹✌✍🏋🏌🕴🕵🖐](?:\ufe0f|(?!\ufe0e))|[{_TONED}--[☝⛷⛹✌✍🏋🏌🕴🕵🖐]]){_TONE}?",
            rf"{_VARIABLE}(?:\ufe0f|(?!\ufe0e))",
            r"🏴(?:\U000E0067\U000E0062(?:\U000E0065\U000E006E\U000E0067"
            r"|\U000E0073\U000E0063\U000E0074|\U000E0077\U000E006C\U000E0073)\U000E007F)",
            r"\L<countries>",
        )
    ),
    regex.VERSION1,
    countries=["".join(chr(_LETTER + ord(letter)) for letter in flag) for flag in _FLAGS.split()],
)


def weight(text: str) -> int:
    """Characters of `text` as X counts them; a post may have 280."""
    text = unicodedata.normalize("NFC", text)
    total = position = 0
    for start, end in addresses(text):
        total += _plain(text[position:start]) + LINK
        position = end
    return total + _plain(text[position:])


def _plain(text: str) -> int:
    total = position = 0
    for emoji in _EMOJI.finditer(text):
        total += sum(map(_character, text[position : emoji.start()])) + DEFAULT_WEIGHT
        position = emoji.end()
    return total + sum(map(_character, text[position:]))


def _character(character: str) -> int:
    code = ord(character)
    light = (
        code <= 0x10FF
        or 0x2000 <= code <= 0x200D
        or 0x2010 <= code <= 0x201F
        or 0x2032 <= code <= 0x2037
    )
    return 1 if light else DEFAULT_WEIGHT
