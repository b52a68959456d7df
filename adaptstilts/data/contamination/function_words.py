"""Function words of English and of other languages in Latin script, for telling whether a text is English.

Words that English texts have as well (names such as *de* and *la*, *an*, *die*, *on*) are left out of the other lists.
"""

from __future__ import annotations

from functools import cache

_ENGLISH = """
the of and to in is was that it for as with his he on be at by had are not from but have an they which or were this
her she has their been if would who when will there what so more out up about into than them can only other time
some could these two may then do any my now such like our over even most made after also did many before must
through where much your how too its i you we a me him us all no why whose whom because while does
"""
ENGLISH = frozenset(_ENGLISH.split())
"""Function words of English."""

_OTHERS = """
af: nie het wat vir hulle ons sy hy oor ook maar deur uit sal moet kan jou hierdie daar toe wees
az: və bir bu üçün ilə olan də çox kimi sonra daha onun olaraq ki idi edir hər isə
de: und der das ist nicht ein eine den dem des mit von auf für sich auch wird sind aus wie oder einer einem eines wurde
es: el los las una del que por para como más pero sus fue este esta son entre cuando muy también está desde
et: ja ei oli kui see mis aga oma seda nii siis selle kes nad tema mida pärast kuid ning veel olid
eu: eta da ez zen bat dira hau zuen baina ere egin zuten dute izan hori bere beste baino du den
fi: ja oli hän että mutta kun niin ei ovat myös joka sen hänen tai jos mitä kuin olla olivat sitä ole vuonna
fr: les des est une dans que qui pour pas sur du par au ce avec il elle sont mais plus cette ont été aux leur nous
ht: nan yo ki te pou li pa ak ou gen sa se nou yon tout men lè moun konsa fè
hu: és az egy hogy nem volt ez meg mint csak már vagy még pedig ki azt ezt kell voltak mert lesz
id: yang dan di ini itu dengan untuk dari pada tidak dalam adalah akan oleh juga ada mereka kepada sebagai bahwa atau
it: il che di della è per una non sono con più gli dei nel alla dal anche come questo del delle si le ma
jv: lan ing iku kang marang wong ora karo saka iki dadi kanggo ana sing padha menyang amarga nanging uga
lt: ir yra kad bet ne tai iš jis su į buvo ar kaip savo apie jo nuo kurie prie dėl po
nl: het een en van dat niet zijn voor met aan ook maar deze wordt worden werd hij bij naar uit zij hebben dit der
pl: i w na nie się jest że do jak ale po co tak za od był przez są dla tego który oraz już
pt: que não uma os com para é dos mais como das mas foi ao pela pelo seu sua também são está isso quando eu
qu: mana chay kay hinaspa chaymi paykuna manam kaq nispa kanku runakuna llapa hina tukuy
ro: și nu este că pe din cu mai pentru sunt fost care după când către prin lui ei acest dar fi într
sw: ya na wa kwa katika ni la za hii yake kama cha hiyo au huo kuwa watu huu alikuwa zaidi lakini yao pia
tl: ang ng sa mga na ay ko ako siya hindi niya kung para ito mo kanyang nila may ka isang din
tr: ve bir bu için ile olarak da çok daha ne gibi sonra kadar olan değil ama var her ise mi o en
vi: và của là có không được trong những cho một người với các để này đã ông khi từ cũng đến
wo: ak ci mu ya la bu yi te ko ne di ba ñu na waxoon ngir dañu moom yeen
yo: ni ti ó sì àwọn fún wọn kò nínú náà tí mo ń wá bí láti rẹ̀ ní àti pé
"""


@cache
def languages_by_word() -> dict[str, tuple[str, ...]]:
    """Return the languages (ISO 639-1) whose lists hold a word, for every word of the lists that is not English."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _OTHERS.strip().splitlines():
        code, _, words = line.partition(": ")
        for word in words.split():
            if word not in ENGLISH:
                found[word] = (*found.get(word, ()), code)
    return found
