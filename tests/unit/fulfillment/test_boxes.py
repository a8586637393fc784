"""Boxes, lockers and counters in the languages of many countries, and houses whose streets sound like them."""
# ruff: noqa: RUF001 these are letters of other scripts, and meant

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fulfillment.addresses.box_words import TABLE
from services.fulfillment.addresses.boxes import find_box

BOXES = """
en US P.O. Box 12 | PO BOX 12 | P. O. Box 12 | POBox 12 | P O Box A | p.o.box #12 | P0 Box 9 | P.O.B. 77
en US Post Office Box 4 | Box 12 | 12 Main St, P.O. Box 4 | P.O. Drawer 9 | PO Box
en AU GPO Box 2890 | Locked Bag 12 | Private Bag 3 | Locked Bag No. 5
en ZA Private Bag X12 | P O Box 651
en IN Post Box No. 12 | P.B. No. 5, P.O. Box 3
de DE Postfach 10 01 | PF 1234 | Postfach A 12 | postfach
de AT Postfach 5
de CH Postfach | Pf. 12
fr FR BP 12 | B.P. 90112 | Boîte postale 12 | BOITE POSTALE N° 12 | TSA 20001 | 12 rue Neuve, BP 5
fr CH Case postale 12 | CP 12
fr CA C.P. 123 | Casier postal 4
fr SN BP 5005 | B.P: 12
es ES Apartado 12 | Apartado de Correos 12 | Apdo. 5 | Apdo. de Correos 9 | Calle Mayor 4, Apartado 12
es CL Casilla 123 | Casilla de correo 9 | Casilla postal 4
es CO Apartado Aéreo 123
ca ES Apartat de Correus 5
eu ES Posta-kutxa 12
pt BR Caixa Postal 123 | C.P. 45 | Cx. Postal 9
pt PT Apartado 1234
it IT Casella Postale 12 | C.P. 12 | Cas. post. 5
nl NL Postbus 12 | Antwoordnummer 1234 | postbus 5
af ZA Posbus 12 | Privaatsak X9
sv SE Box 123 | Postbox 12
da DK Postboks 12
no NO Postboks 12 Sentrum | Pb. 12
is IS Pósthólf 120
fi FI PL 12 | Postilokero 4
et EE Postkast 12 | PK 5
lv LV Pasta kastīte 5 | a/k 12 | Abonenta kastīte 9
lt LT Pašto dėžutė 5 | a. d. 12 | p.d. 4
pl PL skrytka pocztowa 12 | Skr. poczt. 12 | SKR. POCZTOWA NR 5
cs CZ Poštovní přihrádka 12 | P.P. 5 | pošt. přihr. 4
sk SK Poštový priečinok 12 | P. P. 5
hu HU Postafiók 12 | Pf. 12 | Pf.: 77
ro RO Căsuța poștală 12 | C.P. 5 | Căsuţa Poştală 9
hr HR Poštanski pretinac 12 | p.p. 12
sr RS Поштански фах 12 | п. фах 5 | Poštanski fah 12
sl SI Poštni predal 12 | p. p. 12
mk MK Поштенски фах 12
bg BG П.К. 12 | пощенска кутия 5 | п.к. № 12
sq AL Kutia postare 12
el GR Τ.Θ. 12 | Ταχυδρομική Θυρίδα 5 | ΤΘ 1234 | T.Θ. 7
tr TR P.K. 12 | Posta Kutusu 5 | PK: 34
az AZ Abonent qutusu 12
ru RU а/я 5 | А/Я №12 | абонентский ящик 12 | ул. Ленина, 5, а/я 7
uk UA а/с 12 | абонентська скринька 5
be BY а/с 12 | абаненцкая скрынка 5
kk KZ абоненттік жәшік 12 | а/я 3
mn MN Шуудангийн хайрцаг 12
ka GE საფოსტო ყუთი 12
hy AM Փոստարկղ 12
ga IE Bosca Poist 12
cy GB Blwch Post 12
mt MT Kaxxa Postali 12
sw TZ S.L.P. 12 | Sanduku la Posta 5
ar AE ص.ب 12 | ص. ب. ١٢٣٤ | صندوق بريد 5 | صندوق البريد ٩
fa IR صندوق پستی 12
ur PK پوسٹ بکس 12
he IL ת.ד. 12 | ת"ד 12 | תא דואר 5
am ET ፖ.ሳ.ቁ. 12 | ፖስታ ሳጥን 5
hi IN पोस्ट बॉक्स 12 | डाक पेटी 5
mr IN टपाल पेटी 12
ne NP पोष्ट बक्स 12
bn BD পোস্ট বক্স 12
ta LK தபால் பெட்டி 12
th TH ตู้ ปณ. 12 | ตู้ไปรษณีย์ 5
lo LA ຕູ້ໄປສະນີ 12
vi VN Hộp thư 12 | Hòm thư bưu điện 5
id ID Kotak Pos 12 | Tromol Pos 5
ms MY Peti Surat 12 | Beg Berkunci 5
zh CN 邮政信箱12号 | 北京100信箱
zh TW 郵政信箱12號 | 台北郵政第5號信箱
ja JP 私書箱 | 渋谷郵便局私書箱12号
ko KR 사서함 12호 | 서울중앙우체국 사서함
"""
LOCKERS = """
en GB Parcel Locker 5 | InPost Locker, High Street
en AU Parcel Locker 10123 45678
en US Amazon Locker - Zebra | Amazon Hub Kobra
de DE Packstation 145 | PACKSTATION 145 | Paketstation 12
de AT Abholstation 5
fr FR Consigne Pickup 12 | Pickup Station Gare
es ES CityPaq 12
it IT Locker InPost 12
nl NL Pakketautomaat 5
sv SE Instabox Centralen | Paketautomat 5
da DK Pakkeboks 123 | Døgnboks 12
fi FI Pakettiautomaatti 5
et EE Pakiautomaat Viru
lv LV Pakomāts 12
lt LT Paštomatas 12
pl PL Paczkomat WAW22A | Paczkomat 5
cs CZ Z-BOX 12 | AlzaBox 5
sk SK BalíkoBOX 5
hu HU Csomagautomata 5 | Foxpost 12
ro RO easybox 12
hr HR Paketomat 5
el GR BOX NOW 12
tr TR Kargomat 5
ru RU Постамат 12
uk UA Поштомат 1234
zh CN 丰巢柜 | 快递柜5号
ja JP 宅配便ロッカー
ko KR 무인택배함 5
"""
COUNTERS = """
en US General Delivery
fr FR Poste restante | Point Relais 123
de DE postlagernd | Postfiliale 512
es ES Lista de Correos
it IT Fermo Posta | Fermoposta Milano
ru RU до востребования
ja JP 渋谷郵便局留
"""
HOUSES = """
en US Boxwood Street 4 | 12 Box Lane | 12 Boxer Ave Apt 4 | Post Office Road 7 | 9 Lockerbie Road
en US RR 2 Box 15 | 7 Mailbox Peak Way
en US 12 Main St, PMB 12 | 100 Pobeda Way | 5 Drawer Court | 3 Packer Station Rd
en US 1 P Street NW | Box St 4 | 4 APOLLO DRIVE 12
en GB The Old Post Office, 3 High Street | Box Hill 12 | Postbox Cottage | 2 Locker Street | Unit 5, Box Works
en AU 12 Bagot Road | 4 Private Drive 7 | Level 3, 1 Locked Lane
de DE Poststraße 12 | Am Postplatz 3 | Packhofstr. 4 | Pfarrgasse 12 | Stationsweg 145 | Schließgasse 10
de CH Postgasse 12 | Pfisterweg 5
fr FR 3 rue de la Boîte 12 | 12 rue de la Poste | 5 place du Relais | 12 bis rue B. Pascal | Bât. C, 12 rue Neuve
fr BE Rue Neuve 12 boîte 3 | Rue Neuve 12, box 4 | Rue Neuve 12 bte 3
nl BE Kerkstraat 12 bus 4
nl NL Postweg 12 | Busstraat 5 | Boxbergerweg 12
es ES Calle Apartado 12 | C.P. 28001 | Plaza del Correo 3 | Apartamento 12 | Calle Casilla 5
es MX C.P. 06600 | Calle Correo Mayor 12
es AR Casillas 1200
pt BR Rua da Caixa 12 | Rua Postal 5
it IT Via Casella 10 | Via delle Poste 3 | Corso Postale 5
sv SE Boxholmsgatan 12 | Postgatan 5
da DK Postvej 12
no NO Boksveien 3 | P.K. Sørensens vei 12
fi FI Postikatu 12 | Plaanatie 5
is IS Pósthússtræti 5
et EE Posti 12
lv LV Pasta iela 5
lt LT Pašto g. 5
pl PL ul. Pocztowa 12 | ul. Skrytkowa 5 | pl. 3 Maja 5
cs CZ Poštovní 12 | P. Pavla 12
sk SK Poštová 5
hu HU Posta u. 12 | Petőfi u. 5
ro RO Str. Poștei 12
hr HR Poštanska 5 | Petra Preradovića 12
sr RS Поштанска 5
bg BG ул. Поща 12 | ж.к. Младост 1
el GR Ταχυδρομείου 12 | Θησέως 12
tr TR Posta Caddesi 12 | P. Kemal Sok. 5
ru RU ул. Почтовая, 5 | ул. Ящиковая 12 | ул. Ленина, д. 5, кв. 7 | 1-я линия, 5
uk UA вул. Поштова 12 | вул. Саксаганського 5
he IL רחוב הדואר 5 | דרך תדהר 12
ar AE شارع البريد 12 | صندوق 5
hi IN डाक गली 5
th TH ถนนไปรษณีย์ 5
vi VN 12 Phố Hộp
id ID Jalan Pos 12
zh CN 信义路12号 | 邮政路5号
ja JP 道玄坂1-2-3 | 箱根町12
ko KR 우체국로 12 | 상자길 5
"""


def _rows(text: str) -> list[tuple[str, str, str]]:
    rows = [line.split(" ", 2) for line in text.strip().splitlines()]
    return [(language, country, one.strip()) for language, country, rest in rows for one in rest.split("|")]


@pytest.mark.parametrize(
    ("kind", "text"), [("po_box", BOXES), ("locker", LOCKERS), ("counter", COUNTERS), (None, HOUSES)]
)
def test_table(kind: str | None, text: str) -> None:
    found = {row: find_box(row[2], row[1]) for row in _rows(text)}
    assert {row: one for row, one in found.items() if one != kind} == {}


def test_every_language_has_an_example() -> None:
    said = {language for text in (BOXES, LOCKERS, COUNTERS) for language, _, _ in _rows(text)}
    spoken = {words.language for words in TABLE}
    assert spoken - said == {"gl", "si", "km"} & spoken
    assert len({country for _, country, _ in _rows(BOXES)}) >= 50
    assert len({language for language, _, _ in _rows(HOUSES)}) >= 30


def test_military_post_office() -> None:
    assert find_box("APO AE 09012", "US") == find_box("BFPO 12", "GB") == "military"
    assert find_box("Apo 5", "TR") is None


@given(st.sampled_from([row for text in (BOXES, LOCKERS, COUNTERS) for row in _rows(text)]), st.data())
def test_a_box_is_one_however_it_is_typed(row: tuple[str, str, str], data: st.DataObject) -> None:
    """Case, spaces at the ends, invisible characters, composed accents or not: nothing of it helps."""
    _, country, text = row
    changed = data.draw(
        st.sampled_from(
            [
                text.upper(),
                text.lower(),
                f"  {text} ",
                text.replace(" ", "  "),
                unicodedata.normalize("NFD", text),
                "\u200e" + text,
                f"{text[0]}\u200b{text[1:]}",
                text.replace(".", ". "),
            ]
        )
    )
    assert find_box(changed, country) == find_box(text, country)
