"""P.O. boxes, parcel lockers and counters in the words of many languages, as people write them on parcels. Data.

Short words count in their own countries alone, since `C.P. 28001` is a postal code in Spain and a box in Italy.
"""
# ruff: noqa: RUF001 these are letters of other scripts, and meant

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["po_box", "locker", "counter", "military"]
"""A counter is where a parcel waits for its person; a military post office is reached by the country's post alone."""

Place = Literal["anywhere", "numbered", "first"]
"""Whether the words tell enough by themselves, or with a number behind them, or with a number and nothing before them
but a comma."""


@dataclass(frozen=True, slots=True)
class Words:
    """Words for one thing in one language.

    Attributes:
        language: BCP 47.
        texts: as they are written, without dots and accents; a space may be left out, or be a dot, a dash or a slash.
        countries: where they mean this; None for everywhere.
        but: where they do not.
    """

    language: str
    kind: Kind
    place: Place
    texts: tuple[str, ...]
    countries: frozenset[str] | None = None
    but: frozenset[str] = frozenset()


def _words(
    language: str, kind: Kind, place: Place, texts: str, countries: str | None = None, *, but: str = ""
) -> Words:
    split = None if countries is None else frozenset(countries.split())
    return Words(language, kind, place, tuple(text.strip() for text in texts.split(",")), split, frozenset(but.split()))


_FRENCH: Final = (
    "FR MC BE LU CH MA TN DZ SN CI CM ML BF NE TG BJ GA CG CD MG TD CF GN MR DJ KM RW BI MU SC HT "
    "NC PF WF RE GP MQ GF YT PM"
)
_SPANISH: Final = "ES MX AR CL CO PE VE EC GT CU BO DO HN PY SV NI CR PA UY PR GQ AD US"
_SLAVIC_SOUTH: Final = "HR BA RS ME SI MK XK"

TABLE: Final = (
    _words("en", "po_box", "anywhere", "p o box, p o boxes, post office box, p 0 box, g p o box"),
    _words(
        "en",
        "po_box",
        "numbered",
        "p o b, postal box, postbox, post box, locked bag, private bag, p o drawer, mail bag",
    ),
    _words("en", "po_box", "first", "box", but="BE LU"),
    _words("de", "po_box", "anywhere", "postfach, postfachnummer, postschliessfach"),
    _words("de", "po_box", "first", "pf", "DE AT CH LI"),
    _words("fr", "po_box", "anywhere", "boite postale, case postale, casier postal"),
    _words("fr", "po_box", "numbered", "b p, t s a", _FRENCH),
    _words("fr", "po_box", "numbered", "c p", "CH CA"),
    _words(
        "es",
        "po_box",
        "anywhere",
        "apartado postal, apartado de correos, apartado aereo, casilla de correo, casilla postal",
    ),
    _words(
        "es", "po_box", "anywhere", "apdo postal, apdo de correos, apdo correos, apartado correos, casilla de correos"
    ),
    _words("es", "po_box", "first", "apartado, apdo, casilla", f"{_SPANISH} PT"),
    _words("ca", "po_box", "anywhere", "apartat de correus, apartat postal"),
    _words("ca", "po_box", "first", "apartat", "ES AD"),
    _words("eu", "po_box", "anywhere", "posta kutxa, posta kutxatila"),
    _words("pt", "po_box", "anywhere", "caixa postal, cx postal, apartado postal"),
    _words("pt", "po_box", "numbered", "c p", "BR AO MZ CV GW ST"),
    _words("it", "po_box", "anywhere", "casella postale, cas post, casella post"),
    _words("it", "po_box", "numbered", "c p", "IT SM VA CH"),
    _words("nl", "po_box", "anywhere", "postbus, antwoordnummer"),
    _words("af", "po_box", "anywhere", "posbus, privaatsak"),
    _words("sv", "po_box", "numbered", "postbox, postfack"),
    _words("da", "po_box", "anywhere", "postboks"),
    _words("no", "po_box", "anywhere", "postboks"),
    _words("no", "po_box", "first", "pb", "NO SE DK FI"),
    _words("is", "po_box", "anywhere", "postholf"),
    _words("fi", "po_box", "anywhere", "postilokero"),
    _words("fi", "po_box", "first", "pl", "FI AX"),
    _words("et", "po_box", "numbered", "postkast, pk", "EE"),
    _words("lv", "po_box", "anywhere", "pasta kastite, abonenta kastite"),
    _words("lv", "po_box", "numbered", "p k, a k", "LV"),
    _words("lt", "po_box", "anywhere", "pasto dezute, abonentine dezute"),
    _words("lt", "po_box", "numbered", "p d, a d", "LT"),
    _words("pl", "po_box", "anywhere", "skrytka pocztowa, skr poczt, skr pocztowa, skrzynka pocztowa"),
    _words("cs", "po_box", "anywhere", "postovni prihradka, post prihr, postovni schranka"),
    _words("cs", "po_box", "numbered", "p p", "CZ"),
    _words("sk", "po_box", "anywhere", "postovy priecinok, postova priehradka"),
    _words("sk", "po_box", "numbered", "p p", "SK"),
    _words("hu", "po_box", "anywhere", "postafiok"),
    _words("hu", "po_box", "numbered", "pf", "HU"),
    _words("ro", "po_box", "anywhere", "casuta postala, c p o p"),
    _words("ro", "po_box", "numbered", "c p", "RO MD"),
    _words("hr", "po_box", "anywhere", "postanski pretinac, postanski pregradak, postanski fah, postanska kutija"),
    _words("sr", "po_box", "anywhere", "поштански преградак, поштански фах, поштански сандук, пошт фах"),
    _words("sr", "po_box", "numbered", "p p, p fah, п п, п фах", _SLAVIC_SOUTH),
    _words("sl", "po_box", "anywhere", "postni predal"),
    _words("mk", "po_box", "anywhere", "поштенски фах, поштенско сандаче"),
    _words("bg", "po_box", "anywhere", "пощенска кутия"),
    _words("bg", "po_box", "numbered", "п к", "BG"),
    _words("sq", "po_box", "anywhere", "kutia postare, kutia postale"),
    _words("el", "po_box", "anywhere", "ταχυδρομικη θυριδα, ταχ θυριδα"),
    _words("el", "po_box", "numbered", "τ θ, t θ, t th", "GR CY"),
    _words("tr", "po_box", "anywhere", "posta kutusu"),
    _words("tr", "po_box", "numbered", "p k", "TR CY"),
    _words("az", "po_box", "anywhere", "abonent qutusu"),
    _words("ru", "po_box", "anywhere", "абонентский ящик, аб ящик, абон ящик, почтовый ящик"),
    _words("ru", "po_box", "numbered", "а я, a ya, п я"),
    _words("uk", "po_box", "anywhere", "абонентська скринька, поштова скринька"),
    _words("uk", "po_box", "numbered", "а с", "UA"),
    _words("be", "po_box", "anywhere", "абаненцкая скрынка, паштовая скрынка"),
    _words("be", "po_box", "numbered", "а с", "BY"),
    _words("kk", "po_box", "anywhere", "абоненттік жәшік, пошта жәшігі"),
    _words("mn", "po_box", "anywhere", "шуудангиин хаирцаг"),
    _words("ka", "po_box", "anywhere", "საფოსტო ყუთი, სააბონენტო ყუთი"),
    _words("ka", "po_box", "numbered", "ა ყ"),
    _words("hy", "po_box", "anywhere", "փոստարկղ, փոստային արկղ"),
    _words("ga", "po_box", "anywhere", "bosca poist, bosca oifig an phoist"),
    _words("cy", "po_box", "anywhere", "blwch post, blwch swyddfa r post"),
    _words("mt", "po_box", "anywhere", "kaxxa postali, kaxxa tal posta"),
    _words("sw", "po_box", "anywhere", "sanduku la posta"),
    _words("sw", "po_box", "numbered", "s l p", "TZ KE UG"),
    _words("ar", "po_box", "anywhere", "صندوق بريد, صندوق البريد, صندوق بريدي"),
    _words("ar", "po_box", "numbered", "ص ب"),
    _words("fa", "po_box", "anywhere", "صندوق پستي"),
    _words("ur", "po_box", "anywhere", "پوسٹ بکس, پوسٹ باکس"),
    _words("he", "po_box", "anywhere", "תא דואר"),
    _words("he", "po_box", "numbered", "ת ד"),
    _words("am", "po_box", "anywhere", "ፖስታ ሳጥን, የፖስታ ሳጥን"),
    _words("am", "po_box", "numbered", "ፖ ሳ ቁ"),
    _words("hi", "po_box", "anywhere", "पोस्ट बॉक्स, पोस्ट बाक्स, डाक पेटी, पी ओ बॉक्स"),
    _words("mr", "po_box", "anywhere", "टपाल पेटी"),
    _words("ne", "po_box", "anywhere", "पोष्ट बक्स, पो ब नं"),
    _words("bn", "po_box", "anywhere", "পোস্ট বক্স, ডাক বাক্স"),
    _words("ta", "po_box", "anywhere", "தபால் பெட்டி, அஞ்சல் பெட்டி"),
    _words("si", "po_box", "numbered", "තැ පෙ"),
    _words("th", "po_box", "anywhere", "ตู้ ป ณ, ตู้ ไปรษณีย์"),
    _words("lo", "po_box", "anywhere", "ຕູ້ ໄປສະນີ, ຕູ້ ປ ນ"),
    _words("km", "po_box", "anywhere", "ប្រអប់ សំបុត្រ"),
    _words("vi", "po_box", "anywhere", "hop thu buu dien, hom thu buu dien"),
    _words("vi", "po_box", "numbered", "hop thu, hom thu"),
    _words("id", "po_box", "anywhere", "kotak pos, tromol pos"),
    _words("ms", "po_box", "anywhere", "peti surat, beg berkunci"),
    _words("zh", "po_box", "anywhere", "信箱, 郵政郵箱, 邮政邮箱"),
    _words("ja", "po_box", "anywhere", "私書箱, 私書函"),
    _words("ko", "po_box", "anywhere", "사서함"),
    # Lockers: by their general names, and by those of the networks, which people write on parcels.
    _words(
        "en",
        "locker",
        "anywhere",
        "parcel locker, parcel lockers, amazon locker, amazon hub, hub locker, inpost locker",
    ),
    _words("en", "locker", "anywhere", "self service locker, pudo locker, popstation, smart locker, collection locker"),
    _words("de", "locker", "anywhere", "packstation, paketstation, abholstation, paketautomat, pickpost, my post 24"),
    _words(
        "fr",
        "locker",
        "anywhere",
        "consigne pickup, pickup station, consigne automatique, consigne a colis, bpack 24 7",
    ),
    _words("es", "locker", "anywhere", "citypaq, taquilla inteligente, taquilla automatica, taquilla amazon"),
    _words("pt", "locker", "anywhere", "cacifo locky, ctt locky, cacifo automatico, armario inteligente"),
    _words("it", "locker", "anywhere", "armadietto automatico, locker inpost, locker amazon"),
    _words("nl", "locker", "anywhere", "pakketautomaat, pakjesautomaat, pakketkluis"),
    _words("sv", "locker", "anywhere", "paketautomat, instabox, iboxen, paketskap"),
    _words("da", "locker", "anywhere", "pakkeboks, pakkeboksen, dognboks, pakkeautomat"),
    _words("no", "locker", "anywhere", "pakkeautomat, pakkeboks"),
    _words("fi", "locker", "anywhere", "pakettiautomaatti, smartpost"),
    _words("et", "locker", "anywhere", "pakiautomaat"),
    _words("lv", "locker", "anywhere", "pakomats, pakomata"),
    _words("lt", "locker", "anywhere", "pastomatas"),
    _words("pl", "locker", "anywhere", "paczkomat, paczkomat inpost, automat paczkowy"),
    _words("cs", "locker", "anywhere", "z box, alzabox, vydejni box, balikovna box, balikomat"),
    _words("sk", "locker", "anywhere", "balikobox, z box, alzabox"),
    _words("hu", "locker", "anywhere", "csomagautomata, foxpost"),
    _words("ro", "locker", "anywhere", "easybox, locker sameday, fanbox"),
    _words("hr", "locker", "anywhere", "paketomat"),
    _words("sr", "locker", "anywhere", "пакетомат"),
    _words("bg", "locker", "anywhere", "еконтомат, автомат за пратки"),
    _words("el", "locker", "anywhere", "box now, θυριδα δεματων"),
    _words("tr", "locker", "anywhere", "kargomat, pttkargomat, teslimat dolabi"),
    _words("ru", "locker", "anywhere", "постамат"),
    _words("uk", "locker", "anywhere", "поштомат"),
    _words("he", "locker", "anywhere", "לוקר"),
    _words("zh", "locker", "anywhere", "丰巢, 豐巢, 快递柜, 快遞櫃, 智能柜, 智能櫃, i郵箱, 智取柜, 順便智能櫃"),
    _words("ja", "locker", "anywhere", "宅配便ロッカー, pudo ステーション, はこぽす"),
    _words("ko", "locker", "anywhere", "무인택배함, 무인 택배함"),
    # Counters, where a parcel waits to be fetched.
    _words("en", "counter", "anywhere", "general delivery, poste restante"),
    _words("de", "counter", "anywhere", "postlagernd, postfiliale"),
    _words("es", "counter", "anywhere", "lista de correos"),
    _words("pt", "counter", "anywhere", "posta restante"),
    _words("it", "counter", "anywhere", "fermo posta, fermoposta, ferma posta"),
    _words("fr", "counter", "anywhere", "point relais, mondial relay, relais colis, relais pickup"),
    _words("ru", "counter", "anywhere", "до востребования"),
    _words("uk", "counter", "anywhere", "до запитання"),
    _words("ja", "counter", "anywhere", "郵便局留, 局留め"),
    _words("zh", "counter", "anywhere", "菜鸟驿站, 存局候领"),
    _words("en", "military", "first", "a p o, f p o, d p o, b f p o", "US GB CA AU"),
    _words("en", "military", "anywhere", "apo ae, apo ap, apo aa, fpo ae, fpo ap, fpo aa, dpo ae, dpo ap, dpo aa"),
)
