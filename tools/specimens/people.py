"""Invented people: names, numbers with a right check digit, addresses, cards with terms that follow from age."""
import csv
import dataclasses
import datetime as dt

import words

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
WRITTEN_NAMES = ["王涛", "张磊", "郭鑫", "陈静", "赵雪", "李浩然", "徐俊杰", "杨紫涵", "董欣怡", "朱佳怡"]
MALE_WRITTEN = {"王涛", "张磊", "郭鑫", "李浩然", "徐俊杰"}


@dataclasses.dataclass
class Person:
    """One invented holder of an identity paper, with the hand that signs for them."""

    name: str
    sex: str
    nation: str
    birth: dt.date
    address: str
    id_number: str
    authority: str
    valid_from: dt.date
    valid_to: dt.date | None
    paper: str = "居民身份证"
    hand: object = None
    pass_number: str = ""

    def card(self):
        """The printed card as the truth file tells it."""
        return {"name": self.name, "sex": self.sex, "nation": self.nation, "birth": self.birth.isoformat(),
                "address": self.address, "id_number": self.id_number, "authority": self.authority,
                "valid_from": self.valid_from.isoformat(),
                "valid_to": self.valid_to.isoformat() if self.valid_to else "长期"}


def check_digit(body):
    """GB 11643 check digit of the first seventeen digits."""
    return "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS)) % 11]


def is_valid_number(number):
    """Whether the last digit of an eighteen digit number is right."""
    return len(number) == 18 and number[:17].isdigit() and check_digit(number[:17]) == number[17]


class Regions:
    """Counties and districts that are in force, with the names above them."""

    def __init__(self, path):
        with open(path, encoding="utf-8-sig") as file:
            rows = [r for r in csv.DictReader(line for line in file if not line.startswith("#"))]
        self.names = {r["code"]: r["name"] for r in rows if not r["end_year"]}
        self.counties = [(r["code"], int(r["start_year"] or 0)) for r in rows
                         if not r["end_year"] and not r["code"].endswith("00") and r["code"][:2] < "71"]

    def pick(self, rng, year):
        """A county in force in `year`: its code, the names from province down, and its police authority."""
        while True:
            code, start = rng.choice(self.counties)
            province, city = self.names.get(code[:2] + "0000"), self.names.get(code[:4] + "00", "")
            if start <= year and province and self.names[code] != "市辖区":
                break
        county = self.names[code]
        generic = city in ("", "市辖区", "县") or "直辖" in city
        above = province if generic else city
        if county.endswith("区"):
            short = county[:-1] if len(county) > 2 and rng.random() < 0.6 else county
            authority = f"{above}公安局{short}分局"
        else:
            authority = f"{county}公安局"
        return code, province + ("" if generic else city) + county, authority


def pick_name(rng, male):
    """A name and the nation that goes with it."""
    if rng.random() < 0.08:
        nation, names = rng.choice(words.MINORITY_NAMES)
        return rng.choice(names), nation
    surname = rng.choice(words.COMPOUND) if rng.random() < 0.09 else rng.choice(words.SURNAMES)
    letters = (words.MALE if male else words.FEMALE) + (words.RARE if rng.random() < 0.3 else [])
    given = "".join(rng.choice(letters) for _ in range(1 if rng.random() < 0.25 else 2))
    return surname + given, rng.choice(words.NATIONS)


def pick_street(rng, split):
    """The part of an address below the county."""
    if rng.random() < 0.15:
        return f"{rng.choice(words.VILLAGES)}{rng.randint(1, 19)}组{rng.randint(1, 299)}号"
    road = rng.choice(words.ROADS[split])
    form = rng.random()
    if form < 0.25:
        return f"{road}{rng.randint(1, 980)}号"
    compound = rng.choice(words.COMPOUNDS[split])
    number = f"{rng.randint(1, 699)}号" if rng.random() < 0.5 else ""
    unit = rng.choice(["单元", "门"])
    flat = f"{rng.randint(1, 32)}{rng.randint(1, 6):02d}"
    block = rng.choice(["栋", "号楼", "幢"])
    room = rng.choice(["号", "室"])
    return f"{road}{number}{compound}{rng.randint(1, 58)}{block}{rng.randint(1, 6)}{unit}{flat}{room}"


def shift_years(day, years):
    """The same day `years` later; 29 February becomes the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def age_on(birth, day):
    """Completed years on `day`."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def issue(rng, birth, on, expired=False):
    """Days of issue and expiry that suit the age; expired long before `on` when asked, in force otherwise."""
    earliest = max(dt.date(2005, 1, 1), shift_years(birth, 3))
    for _ in range(4000):
        span = (on - earliest).days - 5
        start = earliest + dt.timedelta(days=rng.randint(0, max(1, span)))
        age = age_on(birth, start)
        term = 5 if age < 16 else 10 if age < 26 else 20 if age < 46 else None
        end = shift_years(start, term) if term else None
        if expired and end is not None and end < on - dt.timedelta(days=20):
            return start, end
        if not expired and (end is None or end > on + dt.timedelta(days=20)):
            return start, end
    raise ValueError("no term fits this age")


def make_person(rng, regions, split, on, expired=False, written=None, kind=None):
    """A whole invented person; `written` forces one of the names that real hands wrote."""
    kind = kind or ("居民身份证" if expired else rng.choice(["居民身份证"] * 9 + ["临时居民身份证", "港澳居民居住证", "台湾居民居住证"]))
    age = rng.choice([rng.randint(17, 25), rng.randint(26, 45), rng.randint(46, 88), rng.randint(11, 15) if rng.random() < 0.3 else rng.randint(18, 60)])
    if expired:
        age = rng.randint(18, 44)
    birth = on - dt.timedelta(days=int(age * 365.25) + rng.randint(40, 300))
    male = written in MALE_WRITTEN if written else rng.random() < 0.5
    name, nation = (written, rng.choice(words.NATIONS)) if written else pick_name(rng, male)
    code, place, authority = regions.pick(rng, birth.year)
    if kind.endswith("居住证"):
        code = rng.choice(["810000", "820000"]) if kind.startswith("港澳") else "830000"
        nation = ""
        if "·" in name:
            name, _ = "林" + rng.choice(words.RARE), ""
    body = f"{code}{birth:%Y%m%d}{rng.randint(0, 49):02d}{rng.choice('13579') if male else rng.choice('02468')}"
    if body[14:17] == "000":
        body = body[:14] + "002"
    start, end = issue(rng, birth, on, expired)
    if kind.endswith("居住证"):
        start = on - dt.timedelta(days=rng.randint(30, 1500))
        end = shift_years(start, 5)
    if kind.startswith("临时"):
        start = on - dt.timedelta(days=rng.randint(2, 60))
        month = start.month + 3
        end = dt.date(start.year + (month > 12), (month - 1) % 12 + 1, min(start.day, 28))
    letter = {"810000": "H", "820000": "M"}.get(code, "")
    return Person(name, "男" if male else "女", nation, birth, place + pick_street(rng, split), body + check_digit(body),
                  authority, start, end, kind, pass_number=letter + f"{rng.randint(1, 99999999):08d}")


def mobile(rng):
    """An allotted-looking mobile number."""
    return rng.choice(["130", "131", "132", "155", "156", "166", "175", "176", "185", "186", "196", "139", "188", "177", "199", "150"]) + f"{rng.randint(0, 99999999):08d}"
