"""Identity papers drawn at a free size: resident cards, temporary cards, residence permits. All carry 样本."""
import functools
import math
import random

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import ink
import second_script
import styles

WIDTH, HEIGHT = 1011, 638


class CardStyle:
    """The look of one card: fonts, colours, small shifts of the print."""

    def __init__(self, rng, split, person):
        self.font = rng.choice(styles.CARD_FONTS[split])
        self.number_font = rng.choice(styles.NUMBER_FONTS[split])
        self.label = rng.choice([(70, 130, 180), (50, 110, 170), (90, 120, 150), (60, 140, 150)])
        self.ink = rng.choice([(20, 20, 25), (35, 35, 40), (10, 10, 10)])
        self.size = rng.choice([36, 38, 40])
        self.dx, self.dy = rng.uniform(-7, 7), rng.uniform(-7, 7)
        self.tint = rng.choice([(236, 240, 246), (242, 238, 236), (233, 242, 240), (244, 243, 232)])
        self.strength = rng.choice([6, 10, 16])
        self.second = second_script.script_of(person, rng) if person.paper == "居民身份证" else None
        self.aged = person.paper == "居民身份证" and rng.random() < 0.15
        self.seed = rng.randrange(6)


@functools.lru_cache(maxsize=16)
def waves_of(seed):
    """Fine waves as a field of zero to three."""
    rng = random.Random(seed)
    xs, ys = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    waves = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(3):
        angle, pitch = rng.uniform(0, math.pi), rng.uniform(9, 22)
        phase = (xs * math.cos(angle) + ys * math.sin(angle)) / pitch + rng.uniform(2, 5) * np.sin(xs / rng.uniform(60, 160)) + 3 * np.sin(ys / rng.uniform(50, 130))
        waves += np.abs(np.sin(phase)) < 0.16
    return waves


def guilloche(seed, tint, strength):
    """Fine waves behind the print, as security paper has."""
    waves = waves_of(seed)
    base = np.empty((HEIGHT, WIDTH, 3), np.float32)
    slope = np.linspace(-6, 6, WIDTH, dtype=np.float32)[None, :, None]
    base[:] = np.array(tint, np.float32)
    shade = np.array([strength, strength * 0.6, strength * 0.3], np.float32)
    return np.clip(base + slope * np.array([1, 0, -1], np.float32) - waves[..., None] * shade, 0, 255).astype(np.uint8)


def blank(style):
    """The card without print."""
    image = guilloche(style.seed, style.tint, style.strength)
    if style.aged:
        image = (image * np.array([0.97, 0.93, 0.8])).astype(np.uint8)
    return Image.fromarray(image)


def scratched(card, rng):
    """An old card: the print rubbed pale in places, fine scratches across."""
    image = np.asarray(card).astype(np.float32)
    rubbed = np.clip(ink.clouds(rng, HEIGHT, WIDTH, 120, -0.25, 0.45), 0, 0.45)
    paper = cv2.blur(image, (91, 91))
    image = np.clip(image + (np.maximum(paper, image) - image) * rubbed[..., None], 0, 255).astype(np.uint8)
    for _ in range(rng.randint(4, 14)):
        x, y, angle, length = rng.randint(0, WIDTH), rng.randint(0, HEIGHT), rng.uniform(0, math.pi), rng.uniform(60, 400)
        end = int(x + length * math.cos(angle)), int(y + length * math.sin(angle))
        cv2.line(image, (x, y), end, rng.choice([(235, 232, 220), (190, 185, 170)]), 1, cv2.LINE_AA)
    return Image.fromarray(image)


def silhouette(rng):
    """A portrait nobody sat for."""
    picture = Image.new("RGB", (250, 320), rng.choice([(225, 232, 238), (238, 238, 240), (205, 222, 240)]))
    draw = ImageDraw.Draw(picture)
    skin, coat, hair = rng.choice([(214, 178, 155), (226, 190, 168), (196, 160, 136)]), tuple(rng.randint(20, 110) for _ in range(3)), (30, 26, 26)
    draw.ellipse([10, 205, 240, 420], fill=coat)
    draw.rectangle([105, 180, 145, 225], fill=skin)
    if rng.random() < 0.5:
        draw.ellipse([62, 40, 188, 250], fill=hair)
    draw.ellipse([75, 60, 175, 200], fill=skin)
    draw.pieslice([68, 42, 182, 170], 180, 360, fill=hair)
    draw.text((125, 295), "样本", font=styles.load("noto-sans", 34), fill=(150, 150, 155), anchor="mm")
    return picture.filter(ImageFilter.GaussianBlur(1.2))


def front(person, style, rng):
    """The side with the portrait, 1011 by 638."""
    image = blank(style)
    draw = ImageDraw.Draw(image)
    put = _writer(draw, style)
    picture = silhouette(rng).resize((rng.randint(235, 262), rng.randint(300, 330)))
    image.paste(picture, (int(655 + style.dx), int(88 + style.dy)))
    size = style.size
    if style.second:
        second_script.draw(draw, style.second, style, rng)
    put(62, 112, "姓 名", 28, style.label)
    put(182, 114, person.name, size + 4 if len(person.name) < 9 else 34)
    put(62, 188, "性 别", 28, style.label)
    put(182, 189, person.sex, size)
    if person.nation:
        put(312, 188, "民 族", 28, style.label)
        put(420, 189, person.nation, size)
    _birth(put, person, style, 262)
    put(62, 336, "住 址", 28, style.label)
    _address(put, person, style)
    put(62, 560, "公民身份号码", 28, style.label)
    number_size = {"ocrb": 54, "ocrb-sharp": 54}.get(style.number_font, 52)
    spacing = 580 / 18 - styles.advance(style.number_font, number_size, "0")
    ink.draw_text(draw, (350 + style.dx, 562 + style.dy), person.id_number, style.number_font, number_size, style.ink, spacing)
    return image


def _writer(draw, style):
    def put(x, y, text, size, fill=None, font=None):
        return ink.draw_text(draw, (x + style.dx, y + style.dy), text, font or style.font, size, fill or style.ink)
    return put


def _birth(put, person, style, y):
    put(62, y, "出 生", 28, style.label)
    x = put(182, y + 1, f"{person.birth.year}", style.size - 1) + 12
    x = put(x - style.dx, y, "年", 28, style.label) + 16
    x = put(x - style.dx, y + 1, f"{person.birth.month}", style.size - 1) + 14
    x = put(x - style.dx, y, "月", 28, style.label) + 14
    x = put(x - style.dx, y + 1, f"{person.birth.day}", style.size - 1) + 14
    put(x - style.dx, y, "日", 28, style.label)


def _address(put, person, style):
    size = style.size - 2
    lines = ink.wrap(person.address, style.font, size, 440)
    if len(lines) > 3:
        size -= 6
        lines = ink.wrap(person.address, style.font, size, 450)
    for row, line in enumerate(lines):
        put(182, 336 + row * (size + 13), line, size)


def back(person, style, rng):
    """The side with the emblem, 1011 by 638."""
    if person.paper.endswith("居住证"):
        return permit_back(person, style, rng)
    image = blank(style)
    draw = ImageDraw.Draw(image)
    put = _writer(draw, style)
    emblem(draw, 145 + style.dx, 160 + style.dy, 88)
    title = "居 民 身 份 证" if person.paper == "居民身份证" else "临 时 居 民 身 份 证"
    put(340, 150, "中 华 人 民 共 和 国", 56)
    put(340 if person.paper == "居民身份证" else 300, 245, title, 76 if person.paper == "居民身份证" else 64)
    put(215, 478, "签发机关", 32)
    put(385, 478, person.authority, 36 if len(person.authority) < 14 else 31)
    put(215, 558, "有效期限", 32)
    put(385, 558, validity(person), 36)
    return image


def validity(person):
    """The printed term."""
    return f"{person.valid_from:%Y.%m.%d}-" + (f"{person.valid_to:%Y.%m.%d}" if person.valid_to else "长期")


def permit_back(person, style, rng):
    """Back of a residence permit for residents of Hong Kong, Macau or Taiwan."""
    image = blank(style)
    draw = ImageDraw.Draw(image)
    put = _writer(draw, style)
    wall = [(x, 120 + 35 * math.sin(x / 60) + (12 if (x // 24) % 2 else 0)) for x in range(0, WIDTH, 8)]
    draw.line(wall, fill=(190, 200, 190), width=6)
    put(300, 110, "中华人民共和国", 48)
    put(300, 190, person.paper, 58)
    left = rng.choice([90, 215])
    rows = [("签发机关", person.authority), ("有效期限", validity(person)), ("通行证号码", person.pass_number), ("签发次数", f"{rng.randint(1, 4):02d}")]
    for row, (label, value) in enumerate(rows):
        put(left, 340 + row * 72, label, 30, style.label)
        put(left + 190, 341 + row * 72, value, 35 if len(value) < 15 else 30)
    return image


def emblem(draw, x, y, radius):
    """A red disc with a golden rim and a star; not the real emblem."""
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(196, 40, 44), outline=(214, 170, 70), width=8)
    star = [(x + (0.5 if k % 2 == 0 else 0.2) * radius * math.sin(math.pi * k / 5), y - (0.5 if k % 2 == 0 else 0.2) * radius * math.cos(math.pi * k / 5)) for k in range(10)]
    draw.polygon(star, fill=(230, 190, 80))
    draw.arc([x - radius * 0.8, y - radius * 0.8, x + radius * 0.8, y + radius * 0.8], 20, 160, fill=(230, 190, 80), width=6)


def rounded(image):
    """Alpha of a card with round corners."""
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, image.width - 1, image.height - 1], radius=image.width // 27, fill=255)
    return mask


def copy_sheet(sides, rng, dpi, colour):
    """Both sides on one A4 sheet, as a copier puts them; returns the sheet and the card boxes in millimetres."""
    sheet = ink.Sheet(210, 297, dpi)
    enlarged = rng.choice([1.0, 1.0, 1.0, 1.25, 1.5])
    width, height = 85.6 * enlarged, 54 * enlarged
    boxes = []
    beside = len(sides) == 2 and enlarged == 1.0 and rng.random() < 0.2
    left, top = rng.uniform(12, 205 - width), rng.uniform(20, 60)
    for index, side in enumerate(sides):
        if beside:
            x, y = (12 + index * 98 + rng.uniform(-2, 2), top + rng.uniform(-3, 3))
        else:
            x, y = min(max(6, left + rng.uniform(-8, 8)), 204 - width), top + index * (height + rng.uniform(12, 40))
        angle = rng.uniform(-4, 4)
        if enlarged == 1.0 and rng.random() < 0.12:
            angle, y = 180 + angle, y + 28 * index * (not beside)
        card = side.resize((round(sheet.px(width)), round(sheet.px(height))), Image.LANCZOS)
        shade = Image.new("RGBA", card.size, (0, 0, 0, 0))
        shade.paste(card, (0, 0), rounded(card))
        if rng.random() < 0.5:
            ImageDraw.Draw(shade).rounded_rectangle([0, 0, card.width - 1, card.height - 1], radius=card.width // 27, outline=(120, 120, 120, 255), width=2)
        shade = shade.rotate(angle, expand=True, resample=Image.BICUBIC)
        sheet.image.paste(shade, (round(sheet.px(x)), round(sheet.px(y))), shade)
        boxes.append((x, y, width, height))
    if not colour:
        sheet.image = sheet.image.convert("L").convert("RGB")
    sheet.draw = ImageDraw.Draw(sheet.image)
    return sheet, boxes


def resized(card, width):
    """The card at another width in pixels, as RGB array."""
    ratio = width / card.width
    return cv2.resize(np.asarray(card), (width, round(card.height * ratio)), interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)
