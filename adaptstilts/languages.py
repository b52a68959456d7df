"""Languages by code: the 50 of XTREME and XTREME-R with their names, and others that tasks declare."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from adaptstilts.errors import ConfigError
from adaptstilts.suggestions import add_names, near_matches

SOURCE_LANGUAGE = "en"
"""ISO 639-1 code of the language of all training data."""


@dataclass(frozen=True)
class Language:
    """Codes and name of one language.

    Attributes:
        code: ISO 639-1 code, used everywhere in the package; a longer code for a language of a declared task that has
            none, such as ``ast_Latn``.
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


def languages_text(codes: Sequence[str]) -> str:
    """Return the codes of languages; of a long list their number and the first ones."""
    if len(codes) <= _MOST_LISTED:
        return ", ".join(codes)
    return f"{len(codes)} languages: {', '.join(codes[:_MOST_LISTED])} ..."


_MOST_LISTED = 8
_CODE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_DECLARED: dict[str, Language] = {}
"""Languages of declared tasks that are none of the 50, by code."""


def is_code(text: str) -> bool:
    """Say whether a text has the form of a language's code; a task that is not known here may have declared it."""
    return _CODE.fullmatch(text) is not None


def declare_language(code: str) -> None:
    """Make a code of a declared task known; a language that is none of the 50 has its code as its name.

    Raises:
        ConfigError: If it is neither an ISO 639 code nor one with parts after it, such as ``ast_Latn`` or ``zh-Hant``;
            a name or three-letter code of one of the 50 gets the right code as a hint.
    """
    if code in _languages() or code in _DECLARED:
        return
    has_parts = _CODE.fullmatch(code) is not None and not code.isalpha()
    meant = None if has_parts else _meant(code)
    if meant is not None or not _CODE.fullmatch(code):
        hint = f"Write '{meant.code}' for {meant.name}" if meant else None
        raise ConfigError(
            f"'{code}' is not a language code", key="languages", value=code,
            allowed=("ISO 639 codes", "codes with parts, such as ast_Latn or zh-Hant"), hint=hint,
        )  # fmt: skip
    _DECLARED[code] = Language(code, code, code, code)


def get_language(code: str) -> Language:
    """Return the language with a code: an ISO 639-1 code of the 50, or a code of a declared task.

    Raises:
        ConfigError: If there is none; a three-letter code or an English name gets the right code as a hint.
    """
    found = _languages().get(code) or _DECLARED.get(code)
    if found is None:
        meant = _meant(code)
        hint = f"Write '{meant.code}' for {meant.name}" if meant else None
        raise ConfigError(
            f"'{code}' is not a known language code", value=None if meant else code, allowed=_languages(), hint=hint
        )
    return found


def _meant(word: str) -> Language | None:
    """Return the language of the 50 that a word certainly means: by another code or name, not by a likeness."""
    found = near_matches(word, _languages(), cutoff=1.0)
    return _languages()[found[0]] if found else None


_OLD_CODES = {"iw": "he", "in": "id", "jw": "jv", "mo": "ro"}
_OTHER_CODES = {
    "baq": "eu", "bur": "my", "chi": "zh", "zho": "zh", "dut": "nl", "fas": "fa", "per": "fa", "fil": "tl", "fre": "fr",
    "geo": "ka", "ger": "de", "gre": "el", "may": "ms", "msa": "ms", "rum": "ro",
}  # fmt: skip
_OTHER_NAMES = {"chinese": "zh", "farsi": "fa", "filipino": "tl", "haitian": "ht"}


def _add_names() -> None:
    for language in all_languages():
        add_names(dict.fromkeys((language.code3, language.variety, language.name), language.code))
    add_names(_OLD_CODES | _OTHER_CODES | _OTHER_NAMES)


_add_names()
