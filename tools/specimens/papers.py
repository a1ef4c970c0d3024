"""Papers other than identity cards, drawn at a free size: passports, permits, licences, household registers. All carry 样本."""
import datetime as dt
import random

import numpy as np
from PIL import Image, ImageDraw

import cards
import ink
import people
import styles
import words
import zones

PX_PER_MM = 11.8
CARD, PASSPORT, REGISTER, LICENCE = (85.6, 54.0), (125.0, 88.0), (143.0, 105.0), (297.0, 210.0)
KINDS = ("护照", "外国护照", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "外国人永久居留身份证2017", "外国人永久居留身份证2023",
         "户口簿", "营业执照", "港澳台居民居住证", "临时居民身份证", "居民身份证")
SURNAMES = ["SMITH", "MUELLER", "TANAKA", "OKAFOR", "GARCIA", "IVANOVA", "DUBOIS", "NGUYEN", "ROSSI", "HANSEN"]
GIVEN = ["ANNA MARIA", "JOHN", "PETER PAUL", "YUKI", "CHIDI", "ELENA", "LUC", "THI LAN", "MARCO", "INGRID"]
COUNTRIES = ["USA", "DEU", "JPN", "NGA", "ESP", "RUS", "FRA", "VNM", "ITA", "NOR"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
PINYIN = ["ZHANG", "WANG", "LI", "ZHAO", "CHEN", "YANG", "HUANG", "ZHOU"], ["XIAOMING", "WEI", "JING", "HAORAN", "XUE", "LEI", "TAO", "ZIHAN"]


class Side:
    """One side of a paper: its picture, its size, the form it is read with and what it says."""

    def __init__(self, image, size_mm, form, fields):
        self.image, self.size_mm, self.form, self.fields = image, size_mm, form, fields


class Pen:
    """Draws on a side in millimetres, with the fonts and colours of one style."""

    def __init__(self, size_mm, rng, split, tint=None):
        self.rng, self.split = rng, split
        self.font, self.latin = rng.choice(styles.CARD_FONTS[split]), rng.choice(styles.CARD_FONTS[split])
        self.print_font = rng.choice(styles.PRINT_FONTS[split])
        self.number_font = rng.choice(styles.NUMBER_FONTS[split])
        self.label_ink = rng.choice([(70, 110, 160), (40, 60, 110), (90, 90, 100), (120, 60, 60)])
        self.data_ink = rng.choice([(15, 15, 20), (35, 35, 45)])
        self.bilingual = rng.random() < 0.6
        self.above = rng.random() < 0.5
        width, height = (round(side * PX_PER_MM) for side in size_mm)
        tint = tint or rng.choice([(238, 242, 246), (246, 240, 232), (236, 246, 240), (244, 236, 244)])
        ground = cards.guilloche(rng.randrange(6), tint, rng.choice([4, 8, 14]))
        self.image = Image.fromarray(ground).resize((width, height))
        self.draw = ImageDraw.Draw(self.image)

    def text(self, x, y, text, size, fill=None, font=None, spacing=0.0):
        """Text with its baseline at `y`; returns where it ends."""
        end = ink.draw_text(self.draw, (x * PX_PER_MM, y * PX_PER_MM), text, font or self.font, round(size * PX_PER_MM),
                            fill or self.data_ink, spacing * PX_PER_MM)
        return end / PX_PER_MM

    def field(self, x, y, label, english, value, size=3.2, room=22.0):
        """A label and its value, beside it or below as the style has it."""
        words_ = f"{label}/{english}" if self.bilingual else label
        end = self.text(x, y, words_, 2.2, self.label_ink)
        if self.above:
            self.text(x, y + size + 1.4, value, size)
        else:
            self.text(max(x + room, end + 1.5), y + 0.3, value, size)

    def portrait(self, x, y, width, height):
        """A silhouette."""
        picture = cards.silhouette(self.rng).resize((round(width * PX_PER_MM), round(height * PX_PER_MM)))
        self.image.paste(picture, (round(x * PX_PER_MM), round(y * PX_PER_MM)))

    def zone(self, lines, left, bottom, pitch=2.54):
        """A machine-readable zone, its last line at `bottom`."""
        size = 4.15 * pitch / 2.54
        spacing = pitch - styles.advance("ocrb", round(size * PX_PER_MM), "0") / PX_PER_MM
        for row, line in enumerate(lines):
            self.text(left, bottom - (len(lines) - 1 - row) * 6.35 * pitch / 2.54, line, size, (15, 15, 15), "ocrb", spacing)


def dotted(day):
    """A day as cards print it."""
    return f"{day:%Y.%m.%d}"


def month_named(day, rng):
    """A day as passports print it."""
    return rng.choice([f"{day:%d} {MONTHS[day.month - 1]} {day.year}", f"{day:%d} {day.month}月/{MONTHS[day.month - 1]} {day.year}"])


def term(rng, on, years):
    """A term in force on a day."""
    start = on - dt.timedelta(days=rng.randint(30, 365 * years - 60))
    end = people.shift_years(start, years)
    return start, end


def foreign_person(rng, person):
    """A name in Latin letters, a country, a birth date."""
    at = rng.randrange(len(COUNTRIES))
    return SURNAMES[at], GIVEN[at], COUNTRIES[at], person.birth, "M" if person.sex == "男" else "F"


def passport(person, rng, split, on, foreign):
    """The data page: labels above values, photograph left, zone below."""
    pen = Pen(PASSPORT, rng, split)
    pen.above, pen.bilingual = True, True
    start, end = term(rng, on, 10)
    if foreign:
        surname, given, country, birth, sex = foreign_person(rng, person)
        number = rng.choice("CLXN") + f"{rng.randint(0, 99999999):08d}"
        name = printed = f"{surname} {given}"
    else:
        surname, given, country = rng.choice(PINYIN[0]), rng.choice(PINYIN[1]), "CHN"
        birth, sex = person.birth, "M" if person.sex == "男" else "F"
        number = "E" + rng.choice([f"{rng.randint(0, 99999999):08d}", rng.choice("ABCDEFGHJK") + f"{rng.randint(0, 9999999):07d}"])
        name, printed = person.name, person.name
    pen.text(8, 9, "PASSPORT" if foreign else "护照", 4.2)
    if not foreign:
        pen.text(20, 9, "PASSPORT", 3.2)
    pen.portrait(6, 16, 32, 42)
    sex_words = sex if foreign else f"{person.sex}/{sex}"
    labels = foreign_labels if foreign else chinese_labels
    y = 13
    for row in labels(number, printed, f"{surname}, {given}", country, sex_words, birth, start, end, rng):
        for x, label, value in row:
            pen.text(x, y, label, 1.9, pen.label_ink)
            pen.text(x, y + 4.2, value, 3.1)
        y += 8.6
    code = "PO" if country == "CHN" else "P<"
    pen.zone(zones.passport(code, country, surname, given, number, birth, sex, end, rng), 6, 83)
    fields = {"id_number": number, "name": name, "sex": "男" if sex == "M" else "女", "birth": birth.isoformat(),
              "valid_to": end.isoformat()}
    return [Side(pen.image, PASSPORT, "passport", fields)]


def chinese_labels(number, name, latin, country, sex, birth, start, end, rng):
    """Rows of a Chinese passport."""
    return [[(44, "类型/Type", "P"), (62, "国家码/Country Code", country), (90, "护照号/Passport No.", number)],
            [(44, "姓名/Name", name)], [(44, "", latin)],
            [(44, "性别/Sex", sex), (66, "国籍/Nationality", "中国/CHINESE"), (95, "出生日期/Date of birth", month_named(birth, rng))],
            [(44, "出生地点/Place of birth", "河北/HEBEI"), (90, "签发日期/Date of issue", month_named(start, rng))],
            [(44, "签发地点/Place of issue", "河北/HEBEI"), (90, "有效期至/Date of expiry", month_named(end, rng))],
            [(44, "签发机关/Authority", "国家移民管理局")]]


def foreign_labels(number, name, latin, country, sex, birth, start, end, rng):
    """Rows of a foreign passport."""
    surname, given = latin.split(", ")
    return [[(44, "Type", "P"), (62, "Country Code", country), (90, "Passport No.", number)],
            [(44, "Surname", surname)], [(44, "Given names", given)],
            [(44, "Sex", sex), (66, "Nationality", country), (90, "Date of birth", month_named(birth, rng).replace("月/", " "))],
            [(44, "Place of birth", "CAPITAL"), (90, "Date of issue", f"{start:%d} {MONTHS[start.month - 1]} {start.year}")],
            [(44, "Authority", "MINISTRY OF INTERIOR"), (90, "Date of expiry", f"{end:%d} {MONTHS[end.month - 1]} {end.year}")]]


def travel_permit(person, rng, split, on, kind):
    """The portrait side of a travel permit."""
    pen = Pen(CARD, rng, split)
    is_taiwan = kind.startswith("台湾")
    number = f"{rng.randint(0, 99999999):08d}" if is_taiwan else rng.choice("HM") + f"{rng.randint(0, 99999999):08d}"
    start, end = term(rng, on, 5 if is_taiwan else 10)
    pen.text(14, 6.5, kind, 3.6)
    left = rng.choice([3.0, 32.0])
    pen.portrait(4 if left > 20 else 61, 12, 21, 27)
    rows = [("姓名", "Name", person.name, 3.6), ("出生日期", "Date of birth", dotted(person.birth), 3.0), ("性别", "Sex", person.sex, 3.0),
            ("有效期限", "Validity", f"{dotted(start)}-{dotted(end)}", 3.0), ("签发机关", "Authority", rng.choice(["公安部出入境管理局", "国家移民管理局"]), 2.9)]
    step = 7.6 if pen.above else 6.8
    for row, (label, english, value, size) in enumerate(rows):
        pen.field(left, 12.5 + row * step, label, english, value, size, room=13 if not pen.bilingual else 20)
    y = 12.5 + 5 * step
    end_x = pen.text(left, min(y, 52), "证件号码", 2.2, pen.label_ink)
    pen.text(end_x + 2, min(y, 52) + 0.4, number, 3.8, None, pen.number_font)
    fields = {"id_number": number, "name": person.name, "sex": person.sex, "birth": person.birth.isoformat(),
              "valid_from": start.isoformat(), "valid_to": end.isoformat()}
    return [Side(pen.image, CARD, "travel_permit", fields)]


def foreign_resident(person, rng, split, on, edition):
    """Both sides of a foreign permanent resident card of 2017 or 2023."""
    surname, given, country, birth, sex = foreign_person(rng, person)
    name, numeric = f"{surname} {given}", rng.choice(["840", "276", "392", "566", "724", "250"])
    start, end = term(rng, on, 10)
    if edition == "2017":
        body = f"{country}{rng.choice([11, 31, 44])}{rng.randint(0, 999):03d}{birth:%y%m%d}"
        number = body + str(zones.check(body))
    else:
        body = f"9{rng.choice(['11', '31', '44'])}{numeric}{birth:%Y%m%d}{rng.randint(0, 49):02d}{rng.choice('13579' if sex == 'M' else '02468')}"
        number = body + people.check_digit(body)
    pen = Pen(CARD, rng, split)
    pen.text(18, 7, "外国人永久居留身份证", 3.8)
    pen.text(18, 10, "FOREIGN PERMANENT RESIDENT ID CARD", 1.7)
    pen.portrait(60, 13, 21, 27)
    validity = f"{dotted(start)}-{dotted(end)}"
    printed_sex = f"{'男' if sex == 'M' else '女'}/{sex}"
    rows = [("姓名", "Name", name), ("性别", "Sex", printed_sex), ("出生日期", "Date of Birth", dotted(birth)), ("国籍", "Nationality", country)]
    if edition == "2017":
        rows += [("有效期限", "Period of Validity", validity), ("签发机关", "Issuing Authority", "公安部")]
    step = 6.9 if pen.above or len(rows) < 6 else 5.6
    step = min(step, 38 / len(rows))
    if pen.above and step < 6.5:
        pen.above = False
    for row, (label, english, value) in enumerate(rows):
        pen.field(5, 15 + row * step, label, english, value, 2.8, room=14 if not pen.bilingual else 21)
    end_x = pen.text(5, 51, "证件号码/Card No." if pen.bilingual else "证件号码", 2.2, pen.label_ink)
    pen.text(end_x + 2, 51.3, number, 3.8, None, pen.number_font)
    fields = {"id_number": number, "name": name, "sex": printed_sex[0], "birth": birth.isoformat()}
    both = {"valid_from": start.isoformat(), "valid_to": end.isoformat()}
    front = Side(pen.image, CARD, "foreign_resident_front", {**fields, **(both if edition == "2017" else {})})
    back = Pen(CARD, rng, split)
    if edition == "2017":
        back.text(8, 12, "国家移民管理局", 3.2)
        back.zone(zones.card("I<", "CHN", number, birth, sex, end, country, surname, given), 3.5, 50)
        return [front, Side(back.image, CARD, "foreign_resident_back", {"valid_to": end.isoformat()})]
    back.text(22, 12, "国家移民管理局", 4.0)
    back.above = False
    back.field(10, 34, "签发机关", "Issuing Authority", "国家移民管理局", 3.2)
    back.field(10, 43, "有效期限", "Period of Validity", validity, 3.2)
    return [front, Side(back.image, CARD, "foreign_resident_back", both)]


def household_register(person, rng, split, on):
    """A person's page of the household register."""
    pen = Pen(REGISTER, rng, split, (250, 248, 242))
    pen.text(48, 11, "常住人口登记卡", 5.0, spacing=rng.choice([0, 1.5]))
    rows = [(("姓名", person.name, 0.5), ("户主或与户主关系", rng.choice(["户主", "长子", "之女"]), 0.5)),
            (("曾用名", "", 0.5), ("性别", person.sex, 0.5)), (("出生地", "河北省石家庄市", 0.5), ("民族", person.nation or "汉", 0.5)),
            (("籍贯", "河北省正定县", 0.5), ("出生日期", f"{person.birth.year}年{person.birth.month}月{person.birth.day}日", 0.5)),
            (("本市（县）其他住址", "", 0.65), ("宗教信仰", "", 0.35)),
            (("公民身份号码" if rng.random() < 0.6 else "公民身份证件编号", person.id_number, 0.6), ("身高", "", 0.2), ("血型", "", 0.2)),
            (("文化程度", "大学本科", 0.34), ("婚姻状况", "未婚", 0.33), ("兵役状况", "", 0.33)),
            (("服务处所", "", 0.6), ("职业", "", 0.4)), (("何时由何地迁来本市（县）", "", 1.0),), (("何时由何地迁来本址", "", 1.0),)]
    top, left, width, height = 16.0, 8.0, 127.0, 7.6
    for index, row in enumerate(rows):
        x = left
        for label, value, share in row:
            pen.draw.rectangle([v * PX_PER_MM for v in (x, top + index * height, x + width * share, top + (index + 1) * height)], outline=(60, 60, 60), width=2)
            end = pen.text(x + 1.2, top + index * height + 5, label, 2.7, (30, 30, 30), pen.print_font)
            pen.text(max(end + 2, x + min(20, width * share * 0.45)), top + index * height + 5.1, value, 3.2, (10, 10, 10), pen.print_font)
            x += width * share
    pen.text(12, 99, "承办人签章：", 2.8, (30, 30, 30), pen.print_font)
    pen.text(80, 99, f"登记日期：{on.year}年{on.month}月{on.day}日", 2.8, (30, 30, 30), pen.print_font)
    fields = {"id_number": person.id_number, "name": person.name, "sex": person.sex, "nation": person.nation or "汉", "birth": person.birth.isoformat()}
    return [Side(pen.image, REGISTER, "household_register", fields)]


def licence(person, rng, split, on, regions):
    """A business licence, lying."""
    size = LICENCE if rng.random() < 0.7 else LICENCE[::-1]
    pen = Pen((size[0] / 2, size[1] / 2), rng, split, (250, 246, 236))
    code = zones.credit_code(rng)
    name = rng.choice(words.COMPANIES[split])
    place = regions.pick(rng, 2020)[1] + people.pick_street(rng, split)
    begun = on - dt.timedelta(days=rng.randint(400, 6000))
    width = size[0] / 2
    pen.text(width / 2 - 17, 20, "营 业 执 照", 7.0)
    pen.text(width / 2 - 5, 26, "（副 本）", 2.6)
    pen.text(8, 32, "统一社会信用代码", 2.2)
    pen.text(8 if pen.above else 28, 36 if pen.above else 32, code, 2.8, None, pen.number_font)
    gap = " " * rng.choice([0, 2, 4])
    left = [(f"名{gap}称", name), (f"类{gap}型", "有限责任公司(自然人投资或控股)"), ("法定代表人", person.name), ("经营范围", "通信设备销售；技术服务")]
    right = [("注册资本", "壹佰万元整"), ("成立日期", f"{begun.year}年{begun.month:02d}月{begun.day:02d}日"),
             ("营业期限", f"{begun.year}年{begun.month:02d}月{begun.day:02d}日至长期"), (f"住{gap}所", place)]
    columns = [(8, left), (width * 0.52, right)] if size[0] > size[1] else [(8, left + right)]
    for x, rows in columns:
        y = 44
        for label, value in rows:
            pen.text(x, y, label, 2.3, pen.label_ink, pen.print_font)
            room = (width * 0.46 if len(columns) == 2 else width - 16) - 15
            for line in ink.wrap(value, pen.print_font, round(2.4 * PX_PER_MM), room * PX_PER_MM):
                pen.text(x + 14, y, line, 2.4, None, pen.print_font)
                y += 3.6
            y += 3.2
    pen.text(width * 0.6, size[1] / 2 - 12, "登记机关", 2.4, pen.label_ink, pen.print_font)
    fields = {"credit_code": code, "organisation_name": name, "legal_representative": person.name, "address": place, "valid_from": begun.isoformat()}
    return [Side(pen.image, size, "licence", fields)]


def card_sides(person, rng, split):
    """Both sides of a card of resident form."""
    style = cards.CardStyle(rng, split, person)
    said = person.card()
    front = {key: said[key] for key in ("name", "sex", "nation", "birth", "address", "id_number") if said[key]}
    back = {key: said[key] for key in ("authority", "valid_from", "valid_to")}
    return [Side(cards.front(person, style, rng), CARD, "id_card_front", front), Side(cards.back(person, style, rng), CARD, "id_card_back", back)]


def sides(kind, rng, split, regions, on):
    """The sides of a paper of this kind, of somebody invented."""
    resident = {"港澳台居民居住证": rng.choice(["港澳居民居住证", "台湾居民居住证"])}.get(kind, kind)
    person = people.make_person(rng, regions, split, on, kind=resident if resident in cards_kinds() else "居民身份证")
    if resident in cards_kinds():
        return card_sides(person, rng, split)
    if kind in ("护照", "外国护照"):
        return passport(person, rng, split, on, kind == "外国护照")
    if kind.endswith("通行证"):
        return travel_permit(person, rng, split, on, kind)
    if kind.startswith("外国人永久居留身份证"):
        return foreign_resident(person, rng, split, on, kind[-4:])
    if kind == "户口簿":
        return household_register(person, rng, split, on)
    return licence(person, rng, split, on, regions)


def cards_kinds():
    """Kinds drawn as resident cards."""
    return ("居民身份证", "临时居民身份证", "港澳居民居住证", "台湾居民居住证")


def resized(side, px_per_mm):
    """A side at another resolution, as RGB array."""
    width = round(side.size_mm[0] * px_per_mm)
    return cards.resized(side.image, width)


def seeded(split, seed, index):
    """A generator of its own for each page."""
    return random.Random(f"{split}/{seed}/page/{index}")


def framed(array, margin, fill):
    """The picture with a border."""
    height, width = array.shape[:2]
    out = np.full((height + 2 * margin, width + 2 * margin, 3), fill, np.uint8)
    out[margin:margin + height, margin:margin + width] = array
    return out
