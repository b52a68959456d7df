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
"""ISO 639-1 code of the language that all training data are in."""


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
    """One language.

    Attributes:
        code: ISO 639-1 code, used everywhere in the package.
        code3: Three-letter code in the names of the Tatoeba files (ISO 639-3, ``ara`` for Arabic).
        uriel: Code in the URIEL database, which has no macro-languages.
        name: English name.
        family: Language family, or ``isolate``.
        branch: Branch of the family; empty where none is told apart.
        script: ISO 15924 code; two where both are in use.
        in_xtreme: Whether it is one of XTREME's 40 (the others came with XTREME-R).
        word_order: Dominant order of subject, object and verb in WALS; None where WALS has none.
        wals_features: WALS syntax features known, of 103: how well the syntactic distance is founded.
        distances: Distances to English.
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


_TABLE = """\
code  code3  uriel  name            family          branch        script     40   order    wals  syn    pho    inv    fam    geo
af    afr    afr    Afrikaans       Indo-European   Germanic      Latn       yes  -        4     0.151  0.182  0.309  0.496  0.132
ar    ara    arb    Arabic          Afro-Asiatic    Semitic       Arab       yes  VSO      66    0.356  0.275  0.268  1.000  0.041
az    aze    azj    Azerbaijani     Turkic          -             Latn       no   -        0     0.467  0.275  0.350  1.000  0.028
bg    bul    bul    Bulgarian       Indo-European   Slavic        Cyrl       yes  SVO      83    0.142  0.142  0.316  0.864  0.010
bn    ben    ben    Bengali         Indo-European   Indo-Aryan    Beng       yes  SOV      35    0.417  0.237  0.256  0.874  0.110
de    deu    deu    German          Indo-European   Germanic      Latn       yes  SVO+SOV  84    0.097  0.194  0.237  0.456  0.002
el    ell    ell    Greek           Indo-European   Greek         Grek       yes  SVO+VSO  83    0.217  0.047  0.353  0.851  0.010
en    eng    eng    English         Indo-European   Germanic      Latn       yes  SVO      98    0.000  0.000  0.000  0.000  0.000
es    spa    spa    Spanish         Indo-European   Romance       Latn       yes  SVO      96    0.178  0.142  0.362  0.904  0.004
et    est    est    Estonian        Uralic          -             Latn       yes  SVO      77    0.227  0.142  0.331  1.000  0.006
eu    eus    eus    Basque          isolate         -             Latn       yes  SOV      82    0.377  0.147  0.431  1.000  0.002
fa    pes    pes    Persian         Indo-European   Iranian       Arab       yes  SOV      85    0.479  0.217  0.272  0.874  0.053
fi    fin    fin    Finnish         Uralic          -             Latn       yes  SVO      95    0.289  0.130  0.300  1.000  0.008
fr    fra    fra    French          Indo-European   Romance       Latn       yes  SVO      94    0.188  0.247  0.259  0.904  0.001
gu    guj    guj    Gujarati        Indo-European   Indo-Aryan    Gujr       no   SOV      48    0.417  0.196  0.266  0.874  0.085
he    heb    heb    Hebrew          Afro-Asiatic    Semitic       Hebr       yes  SVO      84    0.249  0.275  0.356  1.000  0.028
hi    hin    hin    Hindi           Indo-European   Indo-Aryan    Deva       yes  SOV      79    0.384  0.217  0.291  0.874  0.089
ht    hat    hat    Haitian Creole  Creole          French-based  Latn       no   -        0     0.270  0.095  0.221  0.904  0.092
hu    hun    hun    Hungarian       Uralic          -             Latn       yes  SVO+SOV  86    0.306  0.142  0.260  1.000  0.005
id    ind    ind    Indonesian      Austronesian    -             Latn       yes  SVO      95    0.273  0.091  0.244  1.000  0.208
it    ita    ita    Italian         Indo-European   Romance       Latn       yes  SVO      74    0.142  0.142  0.300  0.889  0.005
ja    jpn    jpn    Japanese        Japonic         -             Jpan       yes  SOV      87    0.500  0.333  0.346  1.000  0.144
jv    jav    jav    Javanese        Austronesian    -             Latn       yes  -        5     0.399  0.254  0.268  1.000  0.196
ka    kat    kat    Georgian        Kartvelian      -             Geor       yes  SOV      81    0.315  0.331  0.371  1.000  0.029
kk    kaz    kaz    Kazakh          Turkic          -             Cyrl       yes  -        0     0.552  0.164  0.280  1.000  0.048
ko    kor    kor    Korean          isolate         Koreanic      Kore       yes  SOV      85    0.447  0.254  0.291  1.000  0.131
lt    lit    lit    Lithuanian      Indo-European   Baltic        Latn       no   SVO      71    0.307  0.196  0.254  0.808  0.006
ml    mal    mal    Malayalam       Dravidian       -             Mlym       yes  SOV      49    0.464  0.147  0.301  1.000  0.119
mr    mar    mar    Marathi         Indo-European   Indo-Aryan    Deva       yes  SOV      66    0.435  0.196  0.241  0.864  0.102
ms    zsm    zsm    Malay           Austronesian    -             Latn       yes  -        0     0.298  0.147  0.287  1.000  0.173
my    mya    mya    Burmese         Sino-Tibetan    -             Mymr       yes  SOV      80    0.605  0.114  0.135  1.000  0.123
nl    nld    nld    Dutch           Indo-European   Germanic      Latn       yes  SVO+SOV  66    0.076  0.182  0.278  0.556  0.000
pa    pan    pan    Punjabi         Indo-European   Indo-Aryan    Guru       no   SOV      76    0.387  0.196  0.229  0.864  0.078
pl    pol    pol    Polish          Indo-European   Slavic        Latn       no   SVO      71    0.214  0.142  0.347  0.851  0.004
pt    por    por    Portuguese      Indo-European   Romance       Latn       yes  SVO      70    0.158  0.095  0.213  0.899  0.003
qu    que    quy    Quechua         Quechuan        -             Latn       no   -        2     0.479  0.273  0.481  1.000  0.163
ro    ron    ron    Romanian        Indo-European   Romance       Latn       no   SVO      69    0.204  0.095  0.266  0.882  0.008
ru    rus    rus    Russian         Indo-European   Slavic        Cyrl       yes  SVO      87    0.188  0.142  0.353  0.833  0.042
sw    swh    swh    Swahili         Niger-Congo     Bantu         Latn       yes  SVO      80    0.526  0.091  0.242  1.000  0.105
ta    tam    tam    Tamil           Dravidian       -             Taml       yes  SOV      70    0.486  0.147  0.342  1.000  0.121
te    tel    tel    Telugu          Dravidian       -             Telu       yes  SOV      61    0.479  0.196  0.329  1.000  0.108
th    tha    tha    Thai            Kra-Dai         -             Thai       yes  SVO      95    0.361  0.217  0.251  1.000  0.147
tl    tgl    tgl    Tagalog         Austronesian    -             Latn       yes  VSO      65    0.391  0.142  0.271  1.000  0.179
tr    tur    tur    Turkish         Turkic          -             Latn       yes  SOV      86    0.493  0.182  0.334  1.000  0.018
uk    ukr    ukr    Ukrainian       Indo-European   Slavic        Cyrl       no   SVO      70    0.153  0.142  0.256  0.851  0.007
ur    urd    urd    Urdu            Indo-European   Indo-Aryan    Arab       yes  SOV      63    0.384  0.142  0.284  0.874  0.075
vi    vie    vie    Vietnamese      Austro-Asiatic  -             Latn       yes  SVO      93    0.340  0.217  0.253  1.000  0.147
wo    wol    wol    Wolof           Niger-Congo     Atlantic      Latn       no   SVO      78    0.361  0.142  0.329  1.000  0.038
yo    yor    yor    Yoruba          Niger-Congo     Volta-Niger   Latn       yes  SVO      86    0.400  0.333  0.293  1.000  0.050
zh    cmn    cmn    Mandarin        Sino-Tibetan    -             Hans/Hant  yes  SVO      91    0.288  0.247  0.382  1.000  0.112
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
            in_xtreme=xtreme == "yes",
            word_order=None if order == "-" else order,
            wals_features=int(wals),
            distances=Distances(*map(float, distances)),
        )
    return languages


def all_languages() -> tuple[Language, ...]:
    """Return the 50 languages in the order of their codes."""
    return tuple(_languages().values())


def get_language(code: str) -> Language:
    """Return one language.

    Args:
        code: ISO 639-1 code.

    Returns:
        The language.

    Raises:
        ConfigError: If it is not one of the 50; a three-letter code or an English name is answered with the code meant.
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
