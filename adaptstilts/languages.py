"""The 50 languages of XTREME and XTREME-R: codes, family, script and typological distance to English.

Languages of the benchmarks and families as in XTREME's documentation; word order from WALS (CC BY 4.0). Distances are
cosine distances between the URIEL vectors of lang2vec 1.1.2 (CC BY-SA 4.0), missing features filled in from the nearest
languages; they are not URIEL's own pre-computed distances.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from adaptstilts.errors import ConfigError

SOURCE_LANGUAGE = "en"
"""ISO 639-1 code of the language of all training data."""


@dataclass(frozen=True)
class Distances:
    """Cosine distances to English, 0 for the same vector.

    Attributes:
        syntax: Over 103 syntactic features.
        phonology: Over 28 phonological features.
        inventory: Over 158 features of the sound inventory.
        family: Over membership in language families.
        geography: Over distances to fixed places on the globe.
    """

    syntax: float
    phonology: float
    inventory: float
    family: float
    geography: float


@dataclass(frozen=True)
class Language:
    """Codes, family, script and typology of one language.

    Attributes:
        code: ISO 639-1 code, used everywhere in the package.
        code3: Three-letter code in the names of the Tatoeba files (ISO 639-3, ``ara`` for Arabic).
        uriel: Code in the URIEL database, which has no macro-languages.
        name: English name.
        family: Language family, or ``isolate``.
        branch: Branch of the family; empty where none is distinguished.
        script: ISO 15924 code; two where both are in use.
        in_xtreme: Whether it is one of XTREME's 40 (the others came with XTREME-R).
        word_order: Dominant order of subject, object and verb in WALS; None where WALS has none.
        wals_features: Number of known WALS syntax features, of 103: how reliable the syntactic distance is.
    """

    code: str
    code3: str
    uriel: str
    name: str
    family: str
    branch: str
    script: str
    in_xtreme: bool
    word_order: str | None
    wals_features: int
    distances: Distances


# Columns: the fields of `Language` in their order (40: in XTREME), then those of `Distances`.
_TABLE = """\
id  tat  uri  name            family          branch        script     40  order    wals  syn   pho   inv   fam    geo
af  afr  afr  Afrikaans       Indo-European   Germanic      Latn       y   -        4     .151  .182  .309  .496   .132
ar  ara  arb  Arabic          Afro-Asiatic    Semitic       Arab       y   VSO      66    .356  .275  .268  1.000  .041
az  aze  azj  Azerbaijani     Turkic          -             Latn       n   -        0     .467  .275  .350  1.000  .028
bg  bul  bul  Bulgarian       Indo-European   Slavic        Cyrl       y   SVO      83    .142  .142  .316  .864   .010
bn  ben  ben  Bengali         Indo-European   Indo-Aryan    Beng       y   SOV      35    .417  .237  .256  .874   .110
de  deu  deu  German          Indo-European   Germanic      Latn       y   SVO+SOV  84    .097  .194  .237  .456   .002
el  ell  ell  Greek           Indo-European   Greek         Grek       y   SVO+VSO  83    .217  .047  .353  .851   .010
en  eng  eng  English         Indo-European   Germanic      Latn       y   SVO      98    .000  .000  .000  .000   .000
es  spa  spa  Spanish         Indo-European   Romance       Latn       y   SVO      96    .178  .142  .362  .904   .004
et  est  est  Estonian        Uralic          -             Latn       y   SVO      77    .227  .142  .331  1.000  .006
eu  eus  eus  Basque          isolate         -             Latn       y   SOV      82    .377  .147  .431  1.000  .002
fa  pes  pes  Persian         Indo-European   Iranian       Arab       y   SOV      85    .479  .217  .272  .874   .053
fi  fin  fin  Finnish         Uralic          -             Latn       y   SVO      95    .289  .130  .300  1.000  .008
fr  fra  fra  French          Indo-European   Romance       Latn       y   SVO      94    .188  .247  .259  .904   .001
gu  guj  guj  Gujarati        Indo-European   Indo-Aryan    Gujr       n   SOV      48    .417  .196  .266  .874   .085
he  heb  heb  Hebrew          Afro-Asiatic    Semitic       Hebr       y   SVO      84    .249  .275  .356  1.000  .028
hi  hin  hin  Hindi           Indo-European   Indo-Aryan    Deva       y   SOV      79    .384  .217  .291  .874   .089
ht  hat  hat  Haitian Creole  Creole          French-based  Latn       n   -        0     .270  .095  .221  .904   .092
hu  hun  hun  Hungarian       Uralic          -             Latn       y   SVO+SOV  86    .306  .142  .260  1.000  .005
id  ind  ind  Indonesian      Austronesian    -             Latn       y   SVO      95    .273  .091  .244  1.000  .208
it  ita  ita  Italian         Indo-European   Romance       Latn       y   SVO      74    .142  .142  .300  .889   .005
ja  jpn  jpn  Japanese        Japonic         -             Jpan       y   SOV      87    .500  .333  .346  1.000  .144
jv  jav  jav  Javanese        Austronesian    -             Latn       y   -        5     .399  .254  .268  1.000  .196
ka  kat  kat  Georgian        Kartvelian      -             Geor       y   SOV      81    .315  .331  .371  1.000  .029
kk  kaz  kaz  Kazakh          Turkic          -             Cyrl       y   -        0     .552  .164  .280  1.000  .048
ko  kor  kor  Korean          isolate         Koreanic      Kore       y   SOV      85    .447  .254  .291  1.000  .131
lt  lit  lit  Lithuanian      Indo-European   Baltic        Latn       n   SVO      71    .307  .196  .254  .808   .006
ml  mal  mal  Malayalam       Dravidian       -             Mlym       y   SOV      49    .464  .147  .301  1.000  .119
mr  mar  mar  Marathi         Indo-European   Indo-Aryan    Deva       y   SOV      66    .435  .196  .241  .864   .102
ms  zsm  zsm  Malay           Austronesian    -             Latn       y   -        0     .298  .147  .287  1.000  .173
my  mya  mya  Burmese         Sino-Tibetan    -             Mymr       y   SOV      80    .605  .114  .135  1.000  .123
nl  nld  nld  Dutch           Indo-European   Germanic      Latn       y   SVO+SOV  66    .076  .182  .278  .556   .000
pa  pan  pan  Punjabi         Indo-European   Indo-Aryan    Guru       n   SOV      76    .387  .196  .229  .864   .078
pl  pol  pol  Polish          Indo-European   Slavic        Latn       n   SVO      71    .214  .142  .347  .851   .004
pt  por  por  Portuguese      Indo-European   Romance       Latn       y   SVO      70    .158  .095  .213  .899   .003
qu  que  quy  Quechua         Quechuan        -             Latn       n   -        2     .479  .273  .481  1.000  .163
ro  ron  ron  Romanian        Indo-European   Romance       Latn       n   SVO      69    .204  .095  .266  .882   .008
ru  rus  rus  Russian         Indo-European   Slavic        Cyrl       y   SVO      87    .188  .142  .353  .833   .042
sw  swh  swh  Swahili         Niger-Congo     Bantu         Latn       y   SVO      80    .526  .091  .242  1.000  .105
ta  tam  tam  Tamil           Dravidian       -             Taml       y   SOV      70    .486  .147  .342  1.000  .121
te  tel  tel  Telugu          Dravidian       -             Telu       y   SOV      61    .479  .196  .329  1.000  .108
th  tha  tha  Thai            Kra-Dai         -             Thai       y   SVO      95    .361  .217  .251  1.000  .147
tl  tgl  tgl  Tagalog         Austronesian    -             Latn       y   VSO      65    .391  .142  .271  1.000  .179
tr  tur  tur  Turkish         Turkic          -             Latn       y   SOV      86    .493  .182  .334  1.000  .018
uk  ukr  ukr  Ukrainian       Indo-European   Slavic        Cyrl       n   SVO      70    .153  .142  .256  .851   .007
ur  urd  urd  Urdu            Indo-European   Indo-Aryan    Arab       y   SOV      63    .384  .142  .284  .874   .075
vi  vie  vie  Vietnamese      Austro-Asiatic  -             Latn       y   SVO      93    .340  .217  .253  1.000  .147
wo  wol  wol  Wolof           Niger-Congo     Atlantic      Latn       n   SVO      78    .361  .142  .329  1.000  .038
yo  yor  yor  Yoruba          Niger-Congo     Volta-Niger   Latn       y   SVO      86    .400  .333  .293  1.000  .050
zh  cmn  cmn  Mandarin        Sino-Tibetan    -             Hans/Hant  y   SVO      91    .288  .247  .382  1.000  .112
"""


@cache
def _languages() -> dict[str, Language]:
    languages = {}
    for line in _TABLE.splitlines()[1:]:
        code, code3, uriel, name, family, branch, script, xtreme, order, wals, *distances = re.split(" {2,}", line)
        languages[code] = Language(
            code=code,
            code3=code3,
            uriel=uriel,
            name=name,
            family=family,
            branch="" if branch == "-" else branch,
            script=script,
            in_xtreme=xtreme == "y",
            word_order=None if order == "-" else order,
            wals_features=int(wals),
            distances=Distances(*map(float, distances)),
        )
    return languages


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
        if lowered in {language.code, language.code3, language.uriel, language.name.lower()}:
            return language
    return None
