"""The 50 languages of XTREME and XTREME-R: their codes and names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from adaptstilts.errors import ConfigError

SOURCE_LANGUAGE = "en"
"""ISO 639-1 code of the language of all training data."""


@dataclass(frozen=True)
class Language:
    """Codes and name of one language.

    Attributes:
        code: ISO 639-1 code, used everywhere in the package.
        code3: Three-letter code in the names of the Tatoeba files (ISO 639-3, ``ara`` for Arabic).
        variety: ISO 639-3 code of a single language where ``code3`` names several (``arb`` for Arabic), else the same.
        name: English name.
    """

    code: str
    code3: str
    variety: str
    name: str


# Columns: the fields of `Language` in their order.
_TABLE = """\
id  tat  var  name
af  afr  afr  Afrikaans
ar  ara  arb  Arabic
az  aze  azj  Azerbaijani
bg  bul  bul  Bulgarian
bn  ben  ben  Bengali
de  deu  deu  German
el  ell  ell  Greek
en  eng  eng  English
es  spa  spa  Spanish
et  est  est  Estonian
eu  eus  eus  Basque
fa  pes  pes  Persian
fi  fin  fin  Finnish
fr  fra  fra  French
gu  guj  guj  Gujarati
he  heb  heb  Hebrew
hi  hin  hin  Hindi
ht  hat  hat  Haitian Creole
hu  hun  hun  Hungarian
id  ind  ind  Indonesian
it  ita  ita  Italian
ja  jpn  jpn  Japanese
jv  jav  jav  Javanese
ka  kat  kat  Georgian
kk  kaz  kaz  Kazakh
ko  kor  kor  Korean
lt  lit  lit  Lithuanian
ml  mal  mal  Malayalam
mr  mar  mar  Marathi
ms  zsm  zsm  Malay
my  mya  mya  Burmese
nl  nld  nld  Dutch
pa  pan  pan  Punjabi
pl  pol  pol  Polish
pt  por  por  Portuguese
qu  que  quy  Quechua
ro  ron  ron  Romanian
ru  rus  rus  Russian
sw  swh  swh  Swahili
ta  tam  tam  Tamil
te  tel  tel  Telugu
th  tha  tha  Thai
tl  tgl  tgl  Tagalog
tr  tur  tur  Turkish
uk  ukr  ukr  Ukrainian
ur  urd  urd  Urdu
vi  vie  vie  Vietnamese
wo  wol  wol  Wolof
yo  yor  yor  Yoruba
zh  cmn  cmn  Mandarin
"""


@cache
def _languages() -> dict[str, Language]:
    rows = (re.split(" {2,}", line) for line in _TABLE.splitlines()[1:])
    return {row[0]: Language(*row) for row in rows}


def all_languages() -> tuple[Language, ...]:
    """Return the 50 languages in the order of their codes."""
    return tuple(_languages().values())


def get_language(code: str) -> Language:
    """Return the language with an ISO 639-1 code.

    Raises:
        ConfigError: If it is not one of the 50; a three-letter code or an English name gets the right code as a hint.
    """
    found = _languages().get(code)
    if found is None:
        meant = _meant(code)
        hint = f"Write '{meant.code}' for {meant.name}" if meant else None
        raise ConfigError(f"'{code}' is not a known language code", value=code, allowed=_languages(), hint=hint)
    return found


def _meant(word: str) -> Language | None:
    lowered = word.strip().lower()
    for language in all_languages():
        if lowered in {language.code, language.code3, language.variety, language.name.lower()}:
            return language
    return None
