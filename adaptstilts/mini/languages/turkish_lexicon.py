"""Words of Turkish for every concept of the mini world; endings are computed in `turkish`."""

from __future__ import annotations

from adaptstilts.mini.languages.words import read_pairs

NOUNS: dict[str, str] = read_pairs(
    """
    person kişi  teacher öğretmen  doctor doktor  farmer çiftçi  student öğrenci  soldier asker  singer şarkıcı
    cook aşçı  driver şoför  writer yazar  nurse hemşire  king kral  child çocuk|çocuğ  woman kadın  man adam
    friend arkadaş  judge yargıç|yargıc
    animal hayvan  dog köpek|köpeğ  cat kedi  horse at  cow inek|ineğ  bird kuş  fish balık|balığ  lion aslan
    mouse fare  sheep koyun  snake yılan  elephant fil  monkey maymun
    food yiyecek|yiyeceğ  bread ekmek|ekmeğ  rice pirinç|pirinc  meat et  soup çorba  cheese peynir  egg yumurta
    cake pasta  salad salata
    fruit meyve  apple elma  banana muz  orange portakal  grape üzüm  lemon limon  mango mango
    drink içecek|içeceğ  water su  milk süt  tea çay  coffee kahve  juice suyu  wine şarap|şarab
    vehicle araç|arac  car araba  bus otobüs  train tren  boat tekne  bicycle bisiklet  plane uçak|uçağ
    tool alet  hammer çekiç|çekic  knife bıçak|bıçağ  key anahtar  rope ip  needle iğne  brush fırça
    clothing giysi  shirt gömlek|gömleğ  hat şapka  shoe ayakkabı  coat palto  dress elbise  scarf atkı
    furniture mobilya  table masa  chair sandalye  bed yatak|yatağ  lamp lamba  mirror ayna  carpet halı
    instrument çalgı  guitar gitar  piano piyano  drum davul  violin keman  flute flüt
    text metin|metn  book kitap|kitab  letter mektup|mektub  newspaper gazete  poem şiir  map harita  story öykü
    plant bitki  tree ağaç|ağac  flower çiçek|çiçeğ  grass ot  rose gül  bush çalı
    kitchen mutfak|mutfağ  garden bahçe  school okul  hospital hastane  market çarşı  forest orman
    river nehir|nehr  mountain dağ  station istasyon  library kütüphane  church kilise  field tarla  beach plaj
    theatre tiyatro  office ofis  farm çiftlik|çiftliğ  restaurant restoran  street sokak|sokağ  palace saray
    museum müze
    """
)
"""Noun -> its form, then after a bar its stem before a vowel, where it changes ("kitap", "kitabı")."""

COMPOUNDS: dict[str, str] = {"juice": "meyve"}
"""Noun -> the word before it; the noun itself carries the possessive ending and takes "n" before case endings."""

VERBS: dict[str, str] = read_pairs(
    """
    eat ye  drink_v iç  see gör  buy satın+al  steal aşır  get al  sell sat  give_away bağışla  read oku
    write yaz  make yap  paint boya  repair onar  change değiştir  drive sür  use kullan  wear giy  wash yıka
    cut kes  carry taşı  push it  pull çek  move_o hareket+ettir  find bul  lose kaybet  love sev  like beğen
    hate nefret+et  play çal  hear duy  hunt avla  follow takip+et  feed besle  visit ziyaret+et  help yardım+et
    teach eğit  heal iyileştir  watch izle  grow yetiştir  break kır  open aç  cook_v pişir
    sleep uyu  rest dinlen  run koş  walk yürü  swim yüz  fly uç  jump zıpla  dance dans+et  move_s hareket+et
    laugh gül  cry ağla  sing şarkı+söyle  work çalış  wait bekle  fall düş  sit otur  speak konuş  fight dövüş
    """
)
"""Verb -> its stem, after the noun it is said with, if any ("yardım etmek")."""

PRESENTS: dict[str, tuple[str, str]] = {
    "love": ("seviyor", "sevmiyor"),
    "like": ("beğeniyor", "beğenmiyor"),
    "hate": ("ediyor", "etmiyor"),
}
"""Verb of feeling -> present and its negation."""

GOVERNED: dict[str, str] = {"help": "dat", "hate": "abl"}
"""Verb -> case of its object, where it is not the accusative."""

ADJECTIVES: dict[str, str] = read_pairs(
    """
    big büyük  small küçük  old eski  new yeni  good iyi  bad kötü  hot sıcak  cold soğuk  clean temiz
    dirty kirli  strong güçlü  weak zayıf  happy mutlu  sad üzgün  rich zengin  poor yoksul  fast hızlı
    slow yavaş  heavy ağır  light hafif  expensive pahalı  cheap ucuz  beautiful güzel  ugly çirkin  long uzun
    short kısa  empty boş  full dolu  wet ıslak  dry kuru  brave cesur  timid ürkek  red kırmızı  green yeşil
    blue mavi  white beyaz  black siyah  yellow sarı
    """
)
"""Adjective -> its only form."""

OF_LIVING: dict[str, str] = {"old": "yaşlı"}
"""Adjective -> its word for people, animals and plants, where it differs."""

OF_THINGS: dict[str, str] = {"sad": "hüzünlü"}
"""Adjective -> its word for things, where it differs."""

TIMES: dict[str, tuple[str, ...]] = {
    "yesterday": ("dün",),
    "morning": ("sabah",),
    "evening": ("akşam",),
    "night": ("gece",),
    "monday": ("pazartesi", "günü"),
    "friday": ("cuma", "günü"),
    "sunday": ("pazar", "günü"),
    "summer": ("yazın",),
    "winter": ("kışın",),
}
"""Time -> its words, the one that says it first."""

NUMBERS: tuple[str, ...] = ("iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz")
"""Numerals from 2 to 9."""

CITIES: dict[str, str] = read_pairs(
    """
    London Londra  Moscow Moskova  Istanbul İstanbul  Beijing Pekin  Rome Roma  Cairo Kahire  Vienna Viyana
    Lisbon Lizbon  Athens Atina
    """
)
"""City -> its Turkish name, where it differs from the English one."""

SPOKEN: dict[str, str] = {"Delta7": "yedi", "Zentrum9": "dokuz", "Alfa3": "üç", "Nordex": "eks"}
"""Name -> how its end is spoken, where the letters do not tell."""

FUNCTION: dict[str, str] = {
    "be": "olmak",
    "not": "değil",
    "and": "ve",
    "who": "kim",
    "what": "ne",
    "where": "nerede",
    "when": "ne zaman",
    "because": "çünkü",
    "then": "sonra",
    "but": "ama",
}
"""Function words; "to be" is not said in the present."""
