"""Confirmation slips and activation forms: one engine, many unlike layouts."""
import math

import numpy as np
from PIL import Image

import hands
import ink
import marks
import styles
import words

SHORT = ["customer_name", "customer_type", "id_type", "id_number", "contact_name", "contact_phone", "service_number", "product"]
LONG = ["id_address", "mailing_address"]


class SlipStyle:
    """Everything that makes one form look unlike another."""

    def __init__(self, rng, split):
        self.columns, self.rules, self.place, self.digits, self.medium = rng.choice(styles.LAYOUTS[split])
        self.font, self.title_font = rng.choice(styles.PRINT_FONTS[split]), rng.choice(styles.TITLE_FONTS[split])
        self.label_font = self.font if rng.random() < 0.6 else rng.choice(styles.PRINT_FONTS[split])
        self.company, self.title = rng.choice(words.COMPANIES[split]), rng.choice(words.TITLES[split])
        self.size = rng.choice([3.3, 3.6, 4.0, 4.3])
        self.label_ink = rng.choice([(20, 20, 20), (60, 60, 60), (30, 60, 120), (20, 90, 60)])
        self.data_ink = (20, 20, 20) if rng.random() < 0.75 else (35, 35, 90)
        self.rule_ink = rng.choice([(30, 30, 30), (110, 110, 110), (60, 90, 150)])
        self.colon = rng.choice(["：", ":", ""]) if self.rules in ("full", "section", "double") else rng.choice(["：", ":", "： "])
        self.row = rng.uniform(7.5, 10.5) if self.place == "beside" else rng.uniform(12, 14)
        more = words.MORE_LABELS.get(split, {})
        self.labels = {name: rng.choice(forms + more.get(name, []) * 2) for name, forms in words.LABELS.items()}
        self.hand_font = rng.choice(styles.HAND_FONTS[split]) if self.medium == "written" else None
        self.code = rng.choice(["code128", "code128", "qr", "none"])
        self.sign_label, self.clerk_label = rng.choice(words.SIGN_LABELS), rng.choice(words.CLERK_LABELS)
        if self.medium == "thermal":
            self.columns, self.code = 1, rng.choice(["qr", "none", "code128"])
            self.size, self.row = rng.choice([3.2, 3.5]), rng.uniform(5.2, 6.2)
        if self.medium == "dots":
            self.font = rng.choice(styles.PRINT_FONTS[split][:2])
            self.size = max(self.size, 4.0)
        if self.medium == "written":
            self.pen, self.row = rng.choice(hands.INKS), max(self.row, 9.5)


class Slip:
    """One slip being drawn; remembers where the signature goes."""

    def __init__(self, style, values, rng, dpi):
        self.style, self.values, self.rng = style, values, rng
        width, height = {"thermal": (80, 262), "dots": (241, 279)}.get(style.medium, (210, 297))
        paper = (255, 255, 255) if rng.random() < 0.7 else rng.choice([(255, 244, 246), (255, 252, 232), (240, 250, 255)])
        self.sheet = ink.Sheet(width, height, dpi, paper)
        self.margin = 5 if style.medium == "thermal" else 17
        self.left, self.right, self.y = self.margin, width - self.margin, 14.0
        self.sign_box = self.date_box = self.clerk_box = None

    def value(self, name):
        """The printed text of a field."""
        return self.values.get(name, "")

    def fields(self):
        """Rows of fields: short ones in groups of as many as there are columns, long ones alone."""
        short = [name for name in SHORT if self.value(name)]
        if self.style.medium != "laser" or self.rng.random() < 0.5:
            self.rng.shuffle(short)
        rows, columns = [], self.style.columns
        if columns > 2 or self.style.digits == "boxed":
            short.remove("id_number")
        if self.style.digits == "boxed":
            short.remove("service_number")
        for start in range(0, len(short), columns):
            rows.append(short[start:start + columns])
        for name in [*LONG, *(["id_number"] if "id_number" not in short else []), *(["service_number"] if "service_number" not in short else [])]:
            rows.insert(self.rng.randint(1, len(rows)), [name])
        agent = [name for name in ("agent_name", "agent_id_type", "agent_id_number") if self.value(name)]
        if agent:
            rows += [agent[:1] + agent[1:2], agent[2:]] if columns > 1 else [[name] for name in agent]
        return rows

    def label(self, name):
        """The label words with their colon."""
        return self.style.labels[name] + self.style.colon


def draw(style, values, rng, dpi):
    """Draws the whole slip; returns it with the places where people write."""
    slip = Slip(style, values, rng, dpi)
    if style.medium == "dots":
        slip.sheet.start_dots()
    header(slip)
    body(slip)
    terms(slip)
    signature_zone(slip)
    slip.sheet.finish_dots(rng)
    if style.medium == "dots":
        sprockets(slip)
    if style.medium == "thermal":
        thermal_look(slip)
    return slip


def header(slip):
    """Title, company, outlet, date, slip number and its code."""
    style, sheet, rng = slip.style, slip.sheet, slip.rng
    size = 4.6 if style.medium == "thermal" else rng.uniform(6, 8)
    slip.y += size * 0.6
    centre = (slip.left + slip.right) / 2
    for text, em in ((style.company, size * 0.62), (style.title, size)) if rng.random() < 0.5 else ((style.title, size), (style.company, size * 0.6)):
        width = sheet.measure(text, style.title_font, em)
        x = centre - width / 2 if rng.random() < 0.8 else slip.left
        sheet.text(x, slip.y, text, style.title_font, em, style.label_ink)
        slip.y += size * 1.25
    rows = [("slip_number", slip.value("slip_number")), ("accepted_on", slip.value("accepted_on")), ("outlet", slip.value("outlet"))]
    rng.shuffle(rows)
    wide = style.medium != "thermal"
    code_left = slip.right - 78 if wide else slip.left
    for name, value in rows:
        put_pair(slip, slip.left, slip.y, slip.label(name), value, style.size * 0.92)
        slip.y += style.size * 1.75
    put_code(slip, code_left, slip.y - 3 * style.size * 1.75 - 3, wide)
    slip.y += 2 if wide else 1


def put_code(slip, left, top, wide):
    """Barcode, QR code or nothing; a barcode may stand alone, without text."""
    style, sheet, number = slip.style, slip.sheet, slip.value("slip_number")
    if style.code == "code128":
        picture = marks.code128(number, 0.25 if wide else 0.2, 9, 600)
        width = 74 if wide else 68
        picture = picture.resize((round(sheet.px(width)), round(sheet.px(10))))
        if not wide:
            left, top = slip.left + 1, slip.y
            slip.y += 14
        sheet.image.paste(picture, (round(sheet.px(left + 2)), round(sheet.px(top))))
    elif style.code == "qr":
        size = 22
        picture = marks.qr(number, round(sheet.px(size))).resize((round(sheet.px(size)),) * 2)
        at = (slip.right - size, top - 2) if wide else (slip.left + 22, slip.y)
        if not wide:
            slip.y += size + 4
        sheet.image.paste(picture, (round(sheet.px(at[0])), round(sheet.px(at[1]))))


def put_pair(slip, x, y, label, value, size, data_x=None):
    """A label and its value on one line; returns where it ends."""
    style = slip.style
    end = slip.sheet.text(x, y, label, style.label_font, size, style.label_ink) if slip.style.medium != "thermal" else slip.sheet.text(x, y, label, style.font, size)
    return slip.sheet.data(max(data_x or 0, end + 1.2), y, value, style.font, size, style.data_ink)


def put_value(slip, x, y, text, room):
    """A value as it is printed, or written by hand into a space this wide; returns where it ends."""
    style, sheet = slip.style, slip.sheet
    if style.hand_font is None:
        return sheet.data(x, y, text, style.font, style.size, style.data_ink)
    size = style.size * slip.rng.uniform(1.25, 1.45)
    mask = hands.written(text, style.hand_font, slip.rng)
    mask = hands.scaled(mask, sheet.px(size), sheet.px(min(room, 1.05 * size * sum(1 if ord(c) > 127 else 0.6 for c in text))))
    sheet.stamp_mask(mask, x, y - size * 0.85 + slip.rng.uniform(-0.3, 0.3), style.pen)
    return x + mask.shape[1] / sheet.scale


def body(slip):
    """The fields, laid out as the style says."""
    style, sheet, rng = slip.style, slip.sheet, slip.rng
    left, top = slip.left, slip.y
    if style.rules == "section":
        left += 9
    for fields in slip.fields():
        height = style.row
        bounds = cell_bounds(left, slip.right, fields, style)
        heights = [put_cell(slip, name, x0, x1) for name, (x0, x1) in zip(fields, bounds)]
        height = max([height, *heights])
        frame_row(slip, bounds, height)
        slip.y += height
    if style.rules in ("full", "section", "double", "horizontal"):
        sheet.line(left, top, slip.right, top, style.rule_ink, 0.3)
    if style.rules == "section":
        section_band(slip, slip.left, left, top)
    if style.rules == "double":
        sheet.box(left - 1, top - 1, slip.right + 1, slip.y + 1, style.rule_ink, 0.5)
    slip.y += 3


def cell_bounds(left, right, fields, style):
    """The left and right edges of the cells of a row; a lone long field takes the whole row."""
    if len(fields) == 1:
        return [(left, right)]
    step = (right - left) / max(len(fields), min(style.columns, len(fields)))
    return [(left + step * i, left + step * (i + 1)) for i in range(len(fields))]


def put_cell(slip, name, x0, x1):
    """One field in its cell; returns the height it needs."""
    style, sheet = slip.style, slip.sheet
    size, value, label = style.size, slip.value(name), slip.label(name)
    pad = 1.5
    if style.place == "above":
        sheet.text(x0 + pad, slip.y + size * 1.15, label, style.label_font, size * 0.78, style.label_ink)
        data_x, base = x0 + pad, slip.y + size * 2.6
    else:
        base = slip.y + (style.row + size * 0.75) / 2
        end = sheet.text(x0 + pad, base, label, style.label_font if style.medium != "thermal" else style.font, size, style.label_ink)
        data_x = max(end + 1.5, x0 + pad + label_room(slip, x1 - x0))
        if style.rules in ("full", "double", "section") and style.medium == "laser":
            sheet.line(data_x - 1.2, slip.y, data_x - 1.2, slip.y + style.row, style.rule_ink)
            data_x += 0.8
    if style.digits == "boxed" and name in ("id_number", "service_number", "contact_phone") and x1 - data_x > len(value) * 4.6:
        boxed(slip, data_x, base, value)
        return style.row
    lines = sheet.wrap(value, style.font, size * (1.3 if style.hand_font else 1), x1 - data_x - pad)
    pitch = size * (1.8 if style.hand_font else 1.3)
    for row, line in enumerate(lines):
        put_value(slip, data_x, base + row * pitch, line, x1 - data_x - pad)
    return (base - slip.y) + (len(lines) - 1) * pitch + size * 0.55


def label_room(slip, width):
    """Room kept for labels so that values of a column stand in line."""
    if slip.style.medium == "thermal" or slip.style.rules == "none" and slip.style.columns > 1:
        return 0
    return min(slip.style.size * (7.2 if width > 90 else 6.0), width * 0.4)


def boxed(slip, x, base, value):
    """One frame for each digit."""
    style, sheet, step = slip.style, slip.sheet, 4.6
    for index, char in enumerate(value):
        left = x + index * step
        sheet.box(left, base - style.size * 1.1, left + step, base + style.size * 0.35, style.rule_ink, 0.15)
        room = (step - sheet.measure(char, style.font, style.size)) / 2
        sheet.data(left + room, base, char, style.font, style.size, style.data_ink)


def frame_row(slip, bounds, height):
    """The rules of one row."""
    style, sheet, y = slip.style, slip.sheet, slip.y + height
    if style.rules in ("full", "section", "double"):
        for x0, x1 in bounds:
            sheet.line(x0, slip.y, x0, y, style.rule_ink)
            sheet.line(x1, slip.y, x1, y, style.rule_ink)
    if style.rules in ("full", "section", "double", "horizontal"):
        sheet.line(bounds[0][0], y, bounds[-1][1], y, style.rule_ink)
    elif style.rules == "dashed":
        sheet.dashed(bounds[0][0], y, bounds[-1][1])
    elif style.rules == "underline":
        for x0, x1 in bounds:
            sheet.line(x0 + slip.style.size * 7.4, y - 0.8, x1, y - 0.8, style.rule_ink, 0.15)


def section_band(slip, x0, x1, top):
    """A narrow column at the left with upright words."""
    style, sheet = slip.style, slip.sheet
    sheet.box(x0, top, x1, slip.y, style.rule_ink)
    words_down = slip.rng.choice(["客户基本资料", "用户登记信息", "客户信息"])
    step = style.size * 1.5
    y = (top + slip.y) / 2 - step * (len(words_down) - 1) / 2
    for char in words_down:
        sheet.text((x0 + x1) / 2 - style.size / 2, y, char, style.label_font, style.size, style.label_ink)
        y += step


def terms(slip):
    """A paragraph of small print."""
    style, sheet, rng = slip.style, slip.sheet, slip.rng
    size = 2.5 if style.medium == "thermal" else rng.uniform(2.5, 3.1)
    text = "".join(f"{index + 1}、{line}" for index, line in enumerate(rng.sample(words.TERMS, 3 if style.medium == "thermal" else rng.randint(3, 6))))
    slip.y += size
    for line in sheet.wrap(text, style.label_font, size, slip.right - slip.left):
        sheet.text(slip.left, slip.y, line, style.label_font, size, (50, 50, 50))
        slip.y += size * 1.5
    slip.y += 4


def signature_zone(slip):
    """Where the customer, the clerk and the date go; returns nothing but remembers the boxes."""
    style, sheet, rng = slip.style, slip.sheet, slip.rng
    narrow, size = style.medium == "thermal", style.size
    kind = rng.choice(["line", "line", "box", "bare"])
    y = slip.y + 13
    end = sheet.text(slip.left, y, style.sign_label + "：", style.label_font, size, style.label_ink)
    width = min(52, slip.right - end - 2)
    slip.sign_box = (end + 1, y - 12, width, 15)
    if kind == "line":
        sheet.line(end, y + 1.5, end + width, y + 1.5, style.rule_ink)
    elif kind == "box":
        sheet.box(end, y - 13, end + width, y + 4, style.rule_ink)
    x, y = (slip.left, y + 16) if narrow else (end + width + 8, y)
    end = sheet.text(x, y, rng.choice(["日期", "签字日期", "签署日期"]) + "：", style.label_font, size, style.label_ink)
    slip.date_box = (end + 1, y - 7, min(34, slip.right - end - 1), 8)
    y += 15
    end = put_pair(slip, slip.left, y, style.clerk_label + "：", slip.value("clerk"), size)
    if not narrow and rng.random() < 0.4:
        end = sheet.text(end + 12, y, "复核：", style.label_font, size, style.label_ink)
        slip.clerk_box = (end, y - 9, 30, 11)
    slip.y = y + 8
    sheet.text(slip.left, min(slip.y + 6, sheet.height - 6), rng.choice(["客户联 / 样本，资料均属虚构", "第二联：存档  样张，内容虚构", "样本 · 非真实单据"]), style.label_font, size * 0.7, (120, 120, 120))


def sprockets(slip):
    """The holed edges of continuous paper."""
    sheet = slip.sheet
    for side in (6, sheet.width - 6):
        for step in range(int(sheet.height / 12.7) + 1):
            x, y = sheet.px(side), sheet.px(6.35 + step * 12.7)
            r = sheet.px(2)
            sheet.draw.ellipse([x - r, y - r, x + r, y + r], fill=(90, 90, 90))
    for x in (12.7, sheet.width - 12.7):
        for y in range(0, int(sheet.height), 2):
            sheet.line(x, y, x, y + 0.7, (170, 170, 170), 0.15)


def thermal_look(slip):
    """Grey, uneven print with pale columns where the head is worn; the paper is cut after the text."""
    image = np.asarray(slip.sheet.image).astype(np.float32)
    image = image[:min(image.shape[0], round(slip.sheet.px(slip.y + 14)))]
    height, width = image.shape[:2]
    fade = ink.clouds(slip.rng, height, width, 160, 0.55, 0.95)
    for _ in range(slip.rng.randint(0, 3)):
        at = slip.rng.randint(0, width - 4)
        fade[:, at:at + slip.rng.randint(1, 2)] *= 0.35
    image = 255 - (255 - image) * fade[..., None]
    slip.sheet.image = Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))
    slip.sheet.height = math.floor(height / slip.sheet.scale)

