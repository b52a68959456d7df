"""Languages of the data sets made from FLORES-200: the package's codes and those of FLORES-200.

The code of a language in the package is its ISO 639-1 code, also where FLORES-200 has one variety of what that code
covers (``sw`` for ``swh_Latn``); a second script, and a language without such a code, keeps the code of FLORES-200.
Lists: folders of dadelani/sib-200, README of facebookresearch/belebele.
"""

from __future__ import annotations

_ISO_639_1 = """
af=afr_Latn ak=aka_Latn am=amh_Ethi ar=arb_Arab as=asm_Beng ay=ayr_Latn az=azj_Latn ba=bak_Cyrl be=bel_Cyrl
bg=bul_Cyrl bm=bam_Latn bn=ben_Beng bo=bod_Tibt bs=bos_Latn ca=cat_Latn cs=ces_Latn cy=cym_Latn da=dan_Latn
de=deu_Latn dz=dzo_Tibt ee=ewe_Latn el=ell_Grek en=eng_Latn eo=epo_Latn es=spa_Latn et=est_Latn eu=eus_Latn
fa=pes_Arab fi=fin_Latn fj=fij_Latn fo=fao_Latn fr=fra_Latn ga=gle_Latn gd=gla_Latn gl=glg_Latn gn=grn_Latn
gu=guj_Gujr ha=hau_Latn he=heb_Hebr hi=hin_Deva hr=hrv_Latn ht=hat_Latn hu=hun_Latn hy=hye_Armn id=ind_Latn
ig=ibo_Latn is=isl_Latn it=ita_Latn ja=jpn_Jpan jv=jav_Latn ka=kat_Geor kg=kon_Latn ki=kik_Latn kk=kaz_Cyrl
km=khm_Khmr kn=kan_Knda ko=kor_Hang ku=kmr_Latn ky=kir_Cyrl lb=ltz_Latn lg=lug_Latn li=lim_Latn ln=lin_Latn
lo=lao_Laoo lt=lit_Latn lv=lvs_Latn mg=plt_Latn mi=mri_Latn mk=mkd_Cyrl ml=mal_Mlym mn=khk_Cyrl mr=mar_Deva
ms=zsm_Latn mt=mlt_Latn my=mya_Mymr nb=nob_Latn ne=npi_Deva nl=nld_Latn nn=nno_Latn ny=nya_Latn oc=oci_Latn
om=gaz_Latn or=ory_Orya pa=pan_Guru pl=pol_Latn ps=pbt_Arab pt=por_Latn qu=quy_Latn rn=run_Latn ro=ron_Latn
ru=rus_Cyrl rw=kin_Latn sa=san_Deva sc=srd_Latn sd=snd_Arab sg=sag_Latn si=sin_Sinh sk=slk_Latn sl=slv_Latn
sm=smo_Latn sn=sna_Latn so=som_Latn sq=als_Latn sr=srp_Cyrl ss=ssw_Latn st=sot_Latn su=sun_Latn sv=swe_Latn
sw=swh_Latn ta=tam_Taml te=tel_Telu tg=tgk_Cyrl th=tha_Thai ti=tir_Ethi tk=tuk_Latn tl=tgl_Latn tn=tsn_Latn
tr=tur_Latn ts=tso_Latn tt=tat_Cyrl tw=twi_Latn ug=uig_Arab uk=ukr_Cyrl ur=urd_Arab uz=uzn_Latn vi=vie_Latn
wo=wol_Latn xh=xho_Latn yi=ydd_Hebr yo=yor_Latn zh=zho_Hans zu=zul_Latn
"""
"""ISO 639-1 codes of the languages of FLORES-200 that have one."""
_SIB_200 = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab ajp_Arab apc_Arab arb_Latn ars_Arab ary_Arab arz_Arab ast_Latn
awa_Deva azb_Arab ban_Latn bem_Latn bho_Deva bjn_Arab bjn_Latn bug_Latn ceb_Latn cjk_Latn ckb_Arab crh_Latn
dik_Latn dyu_Latn fon_Latn fur_Latn fuv_Latn hne_Deva ilo_Latn kab_Latn kac_Latn kam_Latn kas_Arab kas_Deva
kbp_Latn kea_Latn kmb_Latn knc_Arab knc_Latn lij_Latn lmo_Latn ltg_Latn lua_Latn luo_Latn lus_Latn mag_Deva
mai_Deva min_Arab min_Latn mni_Beng mos_Latn nqo_Nkoo nso_Latn nus_Latn pag_Latn pap_Latn prs_Arab sat_Olck
scn_Latn shn_Mymr szl_Latn taq_Latn taq_Tfng tpi_Latn tum_Latn tzm_Tfng umb_Latn vec_Latn war_Latn yue_Hant
zho_Hant
"""
"""The other languages and scripts of SIB-200, which has those above too."""
_BELEBELE = """
acm_Arab afr_Latn als_Latn amh_Ethi apc_Arab arb_Arab arb_Latn ars_Arab ary_Arab arz_Arab asm_Beng azj_Latn
bam_Latn ben_Beng ben_Latn bod_Tibt bul_Cyrl cat_Latn ceb_Latn ces_Latn ckb_Arab dan_Latn deu_Latn ell_Grek
eng_Latn est_Latn eus_Latn fin_Latn fra_Latn fuv_Latn gaz_Latn grn_Latn guj_Gujr hat_Latn hau_Latn heb_Hebr
hin_Deva hin_Latn hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan
kac_Latn kan_Knda kat_Geor kaz_Cyrl kea_Latn khk_Cyrl khm_Khmr kin_Latn kir_Cyrl kor_Hang lao_Laoo lin_Latn
lit_Latn lug_Latn luo_Latn lvs_Latn mal_Mlym mar_Deva mkd_Cyrl mlt_Latn mri_Latn mya_Mymr nld_Latn nob_Latn
npi_Deva npi_Latn nso_Latn nya_Latn ory_Orya pan_Guru pbt_Arab pes_Arab plt_Latn pol_Latn por_Latn ron_Latn
rus_Cyrl shn_Mymr sin_Latn sin_Sinh slk_Latn slv_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn srp_Cyrl
ssw_Latn sun_Latn swe_Latn swh_Latn tam_Taml tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi tsn_Latn tso_Latn
tur_Latn ukr_Cyrl urd_Arab urd_Latn uzn_Latn vie_Latn war_Latn wol_Latn xho_Latn yor_Latn zho_Hans zho_Hant
zsm_Latn zul_Latn
"""
"""Language variants of Belebele."""

_CODES = {pair.partition("=")[2]: pair.partition("=")[0] for pair in _ISO_639_1.split()}


def _pairs(flores: list[str]) -> tuple[tuple[str, str], ...]:
    """Return the package's code with each code of FLORES-200, English first."""
    pairs = [(_CODES.get(code, code), code) for code in flores]
    return tuple(sorted(pairs, key=lambda pair: (pair[0] != "en", pair[0])))


SIB_200 = _pairs([*_CODES, *_SIB_200.split()])
"""The 205 languages of SIB-200, as pairs of the package's code and that of FLORES-200."""
BELEBELE = _pairs(_BELEBELE.split())
"""The 122 language variants of Belebele, likewise."""
