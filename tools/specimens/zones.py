"""Machine-readable zones (ICAO 9303) and the credit code of organisations, with their check characters."""

WEIGHTS = (7, 3, 1)
CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def check(text):
    """Check digit with weights 7, 3, 1."""
    value = lambda c: 0 if c == "<" else int(c) if c.isdigit() else ord(c) - 55
    return sum(value(c) * WEIGHTS[i % 3] for i, c in enumerate(text)) % 10


def named(surname, given, room):
    """Surname and given names, filled up."""
    return f"{surname}<<{given.replace(' ', '<')}".ljust(room, "<")[:room]


def passport(code, country, surname, given, number, birth, sex, end, rng):
    """The two lines of a passport."""
    number = number.ljust(9, "<")
    personal = "".ljust(14, "<") if rng.random() < 0.5 else "".join(rng.choice("ABCDEFGHJKLMNP0123456789") for _ in range(9)).ljust(14, "<")
    first = f"{code}{country}{named(surname, given, 39)}"
    dates = f"{birth:%y%m%d}", f"{end:%y%m%d}"
    filler = "<" if personal.strip("<") == "" and rng.random() < 0.4 else str(check(personal))
    second = f"{number}{check(number)}{country}{dates[0]}{check(dates[0])}{sex}{dates[1]}{check(dates[1])}{personal}{filler}"
    return [first, second + str(check(second[:10] + second[13:20] + second[21:43]))]


def card(code, issuer, number, birth, sex, end, country, surname, given):
    """The three lines of a card; a long number goes on where optional data stand."""
    if len(number) > 9:
        head = f"{number[:9]}<{number[9:]}{check(number)}"
    else:
        head = f"{number.ljust(9, '<')}{check(number.ljust(9, '<'))}"
    first = f"{code}{issuer}{head}".ljust(30, "<")
    dates = f"{birth:%y%m%d}", f"{end:%y%m%d}"
    second = f"{dates[0]}{check(dates[0])}{sex}{dates[1]}{check(dates[1])}{country}".ljust(29, "<")
    second += str(check(first[5:] + second[:7] + second[8:15] + second[18:29]))
    return [first, second, named(surname, given, 30)]


def credit_code(rng):
    """A unified social credit code with both its check characters."""
    body = "".join(rng.choice(CODE) for _ in range(8))
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    value = lambda c: int(c) if c.isdigit() else ord(c) - 55
    rest = 11 - sum(value(c) * w for c, w in zip(body, weights)) % 11
    organisation = body + ("X" if rest == 10 else "0" if rest == 11 else str(rest))
    first = rng.choice(["91110105", "91310115", "91440300", "92130102"]) + organisation
    total = sum(CODE.index(c) * pow(3, i, 31) for i, c in enumerate(first))
    return first + CODE[(31 - total % 31) % 31]
