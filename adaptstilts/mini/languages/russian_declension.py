"""Declension and agreement of Russian: nouns, adjectives, city names and past tenses from their dictionary forms.

Cases are ``nom``, ``gen``, ``dat``, ``acc`` and ``loc`` (the prepositional); genders ``m``, ``f``, ``n`` and ``p`` for
every plural.
"""

from __future__ import annotations

_VELARS_AND_HUSHERS = "кгхжшчщ"
_HUSHERS = "жшчщ"


def singular(forms: tuple[str, ...], animate: bool) -> dict[str, str]:
    """Decline a noun in the singular; return its form by case.

    `forms` are the nominative, gender, genitive, plural nominative and plural genitive.
    """
    nominative, gender, genitive, *_ = forms
    cases = {"nom": nominative, "gen": genitive, "acc": nominative, "dat": nominative, "loc": nominative}
    if nominative == genitive:
        return cases
    if genitive.endswith("ого"):
        return {**cases, "dat": f"{genitive[:-2]}му", "loc": f"{genitive[:-3]}ом"}
    if gender != "n" and nominative[-1] in "ая":
        ending = "и" if nominative[-2] == "и" else "е"
        accusative = nominative[:-1] + ("у" if nominative[-1] == "а" else "ю")
        return {**cases, "acc": accusative, "dat": nominative[:-1] + ending, "loc": nominative[:-1] + ending}
    if gender == "f":
        return {**cases, "dat": genitive, "loc": genitive}
    stem = genitive[:-1]
    cases["dat"] = stem + ("у" if genitive[-1] == "а" else "ю")
    cases["loc"] = stem + ("и" if stem[-1] == "и" else "е")
    cases["acc"] = genitive if animate and gender == "m" else nominative
    return cases


def plural(forms: tuple[str, ...], animate: bool) -> dict[str, str]:
    """Decline a noun in the plural; see `singular`."""
    single, _, one, nominative, genitive = forms
    if single == one:
        return dict.fromkeys(("nom", "gen", "acc", "dat", "loc"), nominative)
    cases = {"nom": nominative, "gen": genitive, "acc": genitive if animate else nominative}
    if one.endswith("ого"):
        return {**cases, "dat": f"{nominative[:-1]}м", "loc": genitive}
    soft = nominative[-1] == "я" or (nominative[-1] == "и" and nominative[-2] not in _VELARS_AND_HUSHERS)
    stem = nominative[:-1] + ("я" if soft else "а")
    return {**cases, "dat": f"{stem}м", "loc": f"{stem}х"}


def adjective(citation: str) -> dict[tuple[str, str], str]:
    """Decline an adjective from its nominative masculine ("новый", "большой", "хороший", "синий").

    Returns:
        (case, gender) -> form; the accusative of masculines and plurals is left out, as it is the nominative or the
        genitive of the same gender.
    """
    stem, ending = citation[:-2], citation[-2:]
    soft = ending == "ий" and stem[-1] not in _VELARS_AND_HUSHERS
    high = "и" if soft or stem[-1] in _VELARS_AND_HUSHERS else "ы"
    middle = "е" if soft or (ending == "ий" and stem[-1] in _HUSHERS) else "о"
    forms = {
        ("nom", "m"): ending,
        ("nom", "f"): "яя" if soft else "ая",
        ("nom", "n"): f"{middle}е",
        ("nom", "p"): f"{high}е",
        ("acc", "f"): "юю" if soft else "ую",
        ("acc", "n"): f"{middle}е",
        ("gen", "p"): f"{high}х",
        ("dat", "p"): f"{high}м",
        ("loc", "p"): f"{high}х",
    }
    for case, oblique in (("gen", "го"), ("dat", "му"), ("loc", "м")):
        forms[case, "m"] = forms[case, "n"] = middle + oblique
        forms[case, "f"] = f"{middle}й"
    return {key: stem + form for key, form in forms.items()}


def city(forms: tuple[str, ...]) -> dict[str, str]:
    """Decline a city's name from nominative, gender and prepositional; return its form by case (no genitive)."""
    nominative, gender, locative = forms
    cases = {"nom": nominative, "acc": nominative, "dat": nominative, "loc": locative}
    if nominative == locative:
        return cases
    if gender == "f":
        return {**cases, "acc": f"{nominative[:-1]}у", "dat": locative}
    return {**cases, "dat": f"{nominative}у" if gender == "m" else f"{locative[:-1]}м"}


def past(masculine: str, feminine: str) -> dict[str, str]:
    """Return the past tense by gender, from masculine and feminine singular ("нашёл", "нашла"), reflexive or not."""
    stem, tail = (feminine[:-3], "сь") if feminine.endswith("ась") else (feminine[:-1], "")
    return {"m": masculine, "f": feminine, "n": f"{stem}о{tail}", "p": f"{stem}и{tail}"}
