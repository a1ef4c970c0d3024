"""What is made wrong in a case, and which findings that must raise."""
import words
from people import is_valid_number

# A fault and how often it is drawn; two cases in five are clean.
WEIGHTS = {
    None: 40, "name_char": 4, "name_lookalike": 5, "id_digit": 3, "id_lookalike": 4, "id_swap": 4, "address": 4, "id_expired": 4, "no_back": 3,
    "no_signature": 4, "other_signature": 4, "forged_signature": 3, "service_number": 3, "no_stamp": 4, "illegible": 3, "other_person": 4,
    "contact_is_customer": 3, "contact_phone_is_service": 3, "reused_scan": 3}


def mismatch(field):
    """One expected difference."""
    return {"code": "field_mismatch", "subject": field}


EXPECT = {
    None: [], "name_char": [mismatch("customer_name")], "name_lookalike": [mismatch("customer_name")],
    "id_digit": [mismatch("id_number"), {"code": "id_number_invalid", "subject": "id_number"}],
    "id_lookalike": [mismatch("id_number"), {"code": "id_number_invalid", "subject": "id_number"}],
    "id_swap": [mismatch("id_number"), {"code": "id_number_invalid", "subject": "id_number"}],
    "address": [mismatch("id_address")], "id_expired": [{"code": "id_expired", "subject": "id_valid_to"}],
    "no_back": [{"code": "document_missing", "subject": "id_back"}], "no_signature": [{"code": "signature_missing", "subject": "slip"}],
    "other_signature": [{"code": "signature_name_mismatch", "subject": "slip"}], "forged_signature": [{"code": "signature_differs", "subject": "slip"}],
    "service_number": [mismatch("service_number")], "no_stamp": [{"code": "copy_stamp_missing", "subject": "id_copy"}],
    "illegible": [{"code": "illegible", "subject": "id_copy"}],
    "other_person": [mismatch("customer_name"), mismatch("id_number"), mismatch("id_address")],
    "contact_is_customer": [{"code": "contact_is_customer", "subject": "contact_name"}],
    "contact_phone_is_service": [{"code": "contact_phone_is_service_number", "subject": "contact_phone"}],
    "reused_scan": [{"code": "duplicate_scan", "subject": "id_copy"}, mismatch("customer_name"), mismatch("id_number"), mismatch("id_address")]}


def allot(rng, count, only=()):
    """A fault for every case: each at least once where there is room, the rest by weight; those that need an earlier case come late."""
    if only:
        return [only[i % len(only)] for i in range(count)]
    total = sum(WEIGHTS.values())
    chosen = [fault for fault, weight in WEIGHTS.items() if fault for _ in range(max(1, round(count * weight / total)))]
    rng.shuffle(chosen)
    chosen = (chosen + [None] * count)[:count]
    rng.shuffle(chosen)
    for at in [i for i, fault in enumerate(chosen[:count // 3]) if fault in ("forged_signature", "reused_scan")]:
        late = rng.choice([i for i in range(count // 3, count) if chosen[i] not in ("forged_signature", "reused_scan")])
        chosen[at], chosen[late] = chosen[late], chosen[at]
    return chosen


def lookalike(char):
    """The characters that are easily taken for this one."""
    return [other for pair in words.LOOKALIKE_NAMES if char in pair for other in pair if other != char]


def replaced(text, at, char):
    """The text with one character changed."""
    return text[:at] + char + text[at + 1:]


def alter_name(rng, name, alike):
    """The name with one character changed; None where no look-alike exists."""
    places = [i for i, c in enumerate(name) if c != "·"]
    if alike:
        places = [i for i in places if lookalike(name[i])]
        if not places:
            return None
    at = rng.choice(places)
    pool = lookalike(name[at]) if alike else [c for c in words.MALE + words.FEMALE if c != name[at]]
    return replaced(name, at, rng.choice(pool))


def alter_digit(rng, number, alike, start=6, end=None):
    """The number with one digit changed."""
    places = [i for i in range(start, len(number) if end is None else end) if number[i].isdigit() and (not alike or number[i] in words.LOOKALIKE_DIGITS)]
    if not places:
        return None
    at = rng.choice(places)
    new = words.LOOKALIKE_DIGITS[number[at]] if alike else rng.choice([d for d in "0123456789" if d != number[at]])
    return replaced(number, at, new)


def swap_digits(rng, number):
    """The number with two neighbours swapped."""
    places = [i for i in range(6, len(number) - 1) if number[i] != number[i + 1] and number[i + 1].isdigit()]
    at = rng.choice(places)
    return number[:at] + number[at + 1] + number[at] + number[at + 2:]


def alter_address(rng, address):
    """The address with another digit in one of its numbers."""
    return alter_digit(rng, address, rng.random() < 0.4, 0)


def alter_entry(rng, fault, entry):
    """Changes what was typed as the fault asks; returns the fault in effect, as not every name has a look-alike."""
    if fault in ("name_char", "name_lookalike"):
        name = alter_name(rng, entry["customer_name"], fault == "name_lookalike")
        if name is None:
            fault, name = "name_char", alter_name(rng, entry["customer_name"], False)
        entry["customer_name"] = name
    elif fault in ("id_digit", "id_lookalike", "id_swap"):
        number = entry["id_number"]
        changed = swap_digits(rng, number) if fault == "id_swap" else alter_digit(rng, number, fault == "id_lookalike")
        assert not is_valid_number(changed)
        entry["id_number"] = changed
    elif fault == "address":
        entry["id_address"] = alter_address(rng, entry["id_address"]) or entry["id_address"][:-1] + "8号"
    elif fault == "service_number":
        entry["service_number"] = alter_digit(rng, entry["service_number"], rng.random() < 0.5, 3)
    return fault
