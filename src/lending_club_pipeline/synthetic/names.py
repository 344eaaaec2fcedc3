# ruff: noqa: RUF001 - the letters of other alphabets are meant
"""Names of people from several cultures, to be combined within each."""

from typing import Final

from lending_club_pipeline.files.duckdb_paths import literal

# First parts and last parts as they are written there, sixteen of each; family names come first
# where that is the custom. A culture that is listed several times occurs more often.
_ENGLISH: Final = (
    """
    James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Grace
    Ada Alan Dorothy
    """,
    """
    Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson O'Brien
    Hopper Turing Lovelace
    """,
)
_SPANISH: Final = (
    """
    José María Luis Lucía Juan Sofía Carlos Elena Andrés Carmen Miguel Inés Raúl Pilar Iñaki
    Begoña
    """,
    """
    García Martínez López Sánchez González Pérez Rodríguez Fernández Gómez Díaz Núñez Ibáñez
    Muñoz Ortega Vega Castro
    """,
)
_GERMANIC: Final = (
    """
    Jürgen Zoë Björn Käthe Søren Åsa Günther Astrid Lars Ingrid Matthias Ulrike Hans Greta
    Øystein Freja
    """,
    """
    Müller Schröder Østergård Lindström Weiß Jäger Becker Hoffmann Nilsson Dahl Krüger Vogel
    Sørensen Hansen Bäcker Köhler
    """,
)
_SLAVIC: Final = (
    """
    Łukasz Zofia Jiří Anežka Paweł Małgorzata Ivan Mila Tomáš Božena Marek Jana Stanisław Věra
    Igor Darja
    """,
    """
    Kowalski Nowak Dvořák Černý Wiśniewski Wójcik Horvat Novák Zieliński Szymański Procházka
    Král Jankowski Mazur Petrov Šimek
    """,
)
_INDIAN: Final = (
    """
    Aarav Priya Arjun Ananya Rohan Kavya Vikram Meera Sanjay Lakshmi Rahul Divya Imran Fatima
    Harpreet Sunita
    """,
    "Sharma Patel Singh Kumar Gupta Reddy Iyer Khan Nair Das Mehta Joshi Kaur Rao Bose Chopra",
)
_AFRICAN: Final = (
    """
    Chinedu Amina Kwame Ngozi Tunde Zanele Sipho Fatoumata Kofi Aisha Oluwaseun Makena Jabari
    Thandiwe Abebe Wanjiru
    """,
    """
    Okafor Mensah Adeyemi Dlamini Diallo Nkosi Traoré Mwangi Okonkwo Ba Abiodun Kamau Tesfaye
    Boateng Achieng Ndiaye
    """,
)
_VIETNAMESE: Final = (
    "Nguyễn Trần Lê Phạm Hoàng Phan Vũ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Võ",
    "Anh Bình Châu Dũng Hạnh Hương Khánh Lan Minh Ngọc Phúc Quân Sơn Thảo Tuấn Yến",
)
_TURKISH: Final = (
    "İpek Şebnem Çağla Özgür Ümit Gökhan Ayşe Mehmet Elif Emre Işıl Yiğit Deniz Can Zeynep Burak",
    """
    Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Arslan Doğan Kılıç Aslan Çetin Kara Koç
    Kurt
    """,
)
_CHINESE: Final = (
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 林",
    "伟 芳 娜 敏 静 丽 强 磊 洋 艳 勇 军 杰 娟 涛 明",
)
_GREEK: Final = (
    """
    Σοφία Γιώργος Ελένη Νίκος Μαρία Κώστας Άννα Δημήτρης Ιωάννα Πέτρος Χρήστος Ζωή Θωμάς Ειρήνη
    Στέλιος Δάφνη
    """,
    """
    Παπαδόπουλος Νικολάου Γεωργίου Οικονόμου Βασιλείου Ιωάννου Αντωνίου Δημητρίου Κωνσταντίνου
    Μακρής Αλεξίου Πέτρου Σταύρου Χατζής Ρήγας Λάμπρου
    """,
)
_RUSSIAN: Final = (
    """
    Ольга Иван Анна Дмитрий Мария Сергей Елена Алексей Наталья Павел Юлия Никита Ирина Андрей
    Вера Фёдор
    """,
    """
    Соколов Попов Лебедев Козлов Новиков Морозов Петров Волков Зайцев Павлов Беляев Орлов
    Киселёв Макаров Фролов Жуков
    """,
)
_ARABIC: Final = (
    "محمد فاطمة أحمد مريم علي عائشة يوسف زينب عمر ليلى حسن نور خالد سارة إبراهيم هدى",
    "حداد خوري نصار منصور صالح عباس قاسم سليمان يعقوب الحسن عثمان رمضان شاهين بكر مراد طه",
)
_CULTURES: Final = (
    *(_ENGLISH,) * 15,
    *(_SPANISH,) * 4,
    *(_INDIAN,) * 3,
    *(_AFRICAN,) * 2,
    _GERMANIC,
    _SLAVIC,
    _VIETNAMESE,
    _TURKISH,
    _CHINESE,
    _GREEK,
    _RUSSIAN,
    _ARABIC,
)
_OF_EACH: Final = 16
_BITS_OF_CULTURE: Final = 5
_BITS_OF_EACH: Final = 4


def full_name(number: str) -> str:
    """Return SQL for a person's name from a drawn number: two parts and a space."""
    first = ", ".join(literal(part) for firsts, _ in _CULTURES for part in firsts.split())
    last = ", ".join(literal(part) for _, lasts in _CULTURES for part in lasts.split())
    culture = f"({number} & {2**_BITS_OF_CULTURE - 1}) * {_OF_EACH}"
    at_first = f"(({number} >> {_BITS_OF_CULTURE}) & {_OF_EACH - 1})"
    at_last = f"(({number} >> {_BITS_OF_CULTURE + _BITS_OF_EACH}) & {_OF_EACH - 1})"
    return (
        f"list_extract([{first}], {culture} + {at_first} + 1) || ' ' || "
        f"list_extract([{last}], {culture} + {at_last} + 1)"
    )
