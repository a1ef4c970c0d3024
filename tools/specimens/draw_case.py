"""Draws the papers of one planned case and says what was drawn."""
import random

import cv2
import numpy as np
from PIL import Image

import capture
import cards
import hands
import harder
import ink
import marks
import photo
import save
import slips
import styles
import words


def draw(case, folder):
    """Writes the scans of a case into `folder`; returns the list of scans as the truth file tells them."""
    rng = random.Random(case.seed)
    scans = []
    if case.copy_of is None:
        scans += identity(case, case.card_holder, "id", case.id_mode, rng, folder)
    if case.agent:
        mode = rng.choice(["sheet", "photos", "photos"])
        scans += identity(case, case.agent, "ag", mode, rng, folder)
    scans.append(slip(case, rng, folder))
    return scans


def slots(prefix):
    """The slots that a paper fills: the customer's or the agent's."""
    return ["id_front", "id_back"] if prefix == "id" else ["agent_id_front", "agent_id_back"]


def identity(case, person, prefix, mode, rng, folder):
    """The scans of one identity paper."""
    if isinstance(person, harder.Foreigner):
        return foreign(case, person, prefix, mode, rng, folder)
    style = cards.CardStyle(rng, case.split, person)
    sides = [cards.front(person, style, rng), cards.back(person, style, rng)]
    kinds, names = slots(prefix), [f"{prefix}f", f"{prefix}b"]
    about = [f"paper:{person.paper}", f"font:{style.font}"] + (["aged"] if style.aged else [])
    if style.second:
        about.append(f"second_script:{style.second}")
    if style.aged:
        sides = [cards.scratched(side, rng) for side in sides]
    if case.fault == "no_back" and prefix == "id":
        sides, kinds, names = sides[:1], kinds[:1], names[:1]
    if mode == "photos":
        return [one_card(case, side, kind, name, list(about), rng, folder) for side, kind, name in zip(sides, kinds, names)]
    if mode == "both_photo":
        return [cards_on_table(case, sides, kinds, prefix, about, rng, folder)]
    name = prefix if len(sides) == 2 else names[0]
    if mode == "pages" and prefix == "id":
        return [two_pages(case, sides, kinds, name, about, rng, folder)]
    return [copied(case, sides, kinds, name, about, rng, folder)]


def foreign(case, person, prefix, mode, rng, folder):
    """The scans of a paper that is no resident card."""
    sides, kinds, names = harder.sides_of(person, prefix)
    about = [f"paper:{person.paper}"]
    if mode == "sheet":
        return [copied(case, sides, kinds, prefix if len(sides) == 2 else names[0], about, rng, folder)]
    return [one_card(case, side, kind, name, list(about), rng, folder) for side, kind, name in zip(sides, kinds, names)]


def one_card(case, side, kind, name, conditions, rng, folder):
    """One side by phone or from a screen."""
    width = rng.choice([760, 900, 1011, 1200, 1500])
    image = cards.resized(side, width)
    if rng.random() < 0.07:
        picture = photo.from_screen(image, rng, conditions, max(1100, width))
        return save.picture(case, name, [kind], "screen", conditions, picture, rng, folder, 200)
    alpha = np.asarray(cards.rounded(side).resize((image.shape[1], image.shape[0])))
    back = rng.choice(styles.BACKGROUNDS[case.split])
    askew = 0.11 if harder.is_hard(case.split) else 0.07
    picture = photo.photograph(image, alpha, rng, back, conditions, max(820, int(width * rng.uniform(1.05, 1.35))), askew)
    return save.picture(case, name, [kind], "photo", conditions, picture, rng, folder, 72, exif=True)


def cards_on_table(case, sides, kinds, name, about, rng, folder):
    """Both sides beside or under each other in one photograph."""
    conditions = [*about, "both_in_one_photo"]
    width = rng.choice([900, 1000])
    pictures = [cards.resized(side, width) for side in sides]
    height = pictures[0].shape[0]
    canvas = np.zeros((height * 2 + 60, width + 80, 3), np.uint8)
    alpha = np.zeros(canvas.shape[:2], np.uint8)
    corner = np.asarray(cards.rounded(Image.fromarray(pictures[0])))
    if harder.is_hard(case.split):
        conditions.append("strewn")
        canvas, alpha = harder.strewn(pictures, rng)
        pictures = []
    for index, picture in enumerate(pictures):
        y, x = index * (height + 60), rng.randint(0, 80)
        canvas[y:y + height, x:x + width], alpha[y:y + height, x:x + width] = picture, corner
    back = rng.choice(styles.BACKGROUNDS[case.split])
    picture = photo.photograph(canvas, alpha, rng, back, conditions, rng.choice([1500, 1800, 2000]))
    return save.picture(case, name, kinds, "photo", conditions, picture, rng, folder, 72, exif=True)


def other_seal(case, sheet, conditions, rng):
    """A red seal that is not the copy stamp."""
    mask = marks.seal(rng, rng.choice(words.COMPANIES[case.split]), "业务专用章", rng.choice(styles.STAMP_FONTS[case.split]))
    sheet.stamp_mask(hands.scaled(mask, sheet.px(38), sheet.px(38)), rng.uniform(20, 150), rng.uniform(180, 240), marks.STAMP_INKS["red"])
    conditions.append("other_seal")


def stamped(case, sheet, boxes, conditions, rng, stays_red=True):
    """Puts the copy stamp near the cards, unless that is the fault; over text only where colour tells them apart."""
    if case.fault == "no_stamp":
        if rng.random() < 0.6:
            other_seal(case, sheet, conditions, rng)
        return
    look = rng.choices(["line", "boxed", "two", "two-boxed", "hand"], [25, 30, 12, 15, 18])[0]
    ink_name = "pen" if look == "hand" else rng.choices(list(marks.STAMP_INKS), [40, 15, 15, 15, 15])[0]
    colour = rng.choice(hands.INKS) if look == "hand" else marks.STAMP_INKS[ink_name]
    mask = marks.copy_stamp(rng, case.split, look)
    width = rng.uniform(62, 88) if look in ("line", "boxed", "hand") else rng.uniform(42, 60)
    mask = hands.scaled(mask, sheet.px(40), sheet.px(width))
    angle = rng.choice([rng.uniform(-4, 4), rng.uniform(-22, 22), rng.uniform(-10, 10)])
    mask = ink.rotated(mask, angle)
    x, y, w, h = rng.choice(boxes)
    place = rng.choices(["below", "over_portrait", "over_text"], [60, 20, 20])[0]
    coloured = stays_red and ink_name in ("red", "crimson", "vermilion", "violet")
    greyed = not coloured and harder.is_hard(case.split) and place == "over_text"
    if greyed:
        colour = (rng.randint(95, 140),) * 3
    if place == "over_text" and not coloured and not greyed or place == "over_portrait" and x + w * 0.55 + mask.shape[1] / sheet.scale > 205:
        place = "below"
    at = {"below": (x + rng.uniform(-5, 15), y + h + rng.uniform(1, 7)), "over_portrait": (x + w * 0.55, y + h * rng.uniform(0.1, 0.4)),
          "over_text": (x + w * rng.uniform(0.05, 0.2), y + h * rng.uniform(0.2, 0.5))}[place]
    left = min(max(3, at[0]), 206 - mask.shape[1] / sheet.scale)
    conditions += [f"stamp:{look}", f"stamp_ink:{ink_name}", f"stamp_{place}"]
    sheet.stamp_mask(mask, left, at[1], colour)


def copied(case, sides, kinds, name, about, rng, folder):
    """A photocopy of both sides on A4, taken in by some device."""
    conditions = list(about)
    dpi = rng.choice([150, 200, 200, 200, 250])
    how = rng.choices(["flatbed", "photocopy", "worn", "fax", "bilevel", "photo", "colour_copy"], [22, 20, 17, 7, 8, 14, 12])[0]
    if how in ("fax", "bilevel", "worn"):
        dpi = 200
    sheet, boxes = cards.copy_sheet(sides, rng, dpi, colour=how in ("flatbed", "colour_copy", "photo") and rng.random() < 0.75)
    before = how in ("photocopy", "worn", "fax", "bilevel") and rng.random() < 0.4
    illegible = case.fault == "illegible" and name.startswith("id")
    if not before and not illegible:
        image = degrade_copy(np.asarray(sheet.image), how, rng, conditions)
        sheet.image = Image.fromarray(image)
    stamped(case, sheet, boxes, conditions, rng, stays_red=not before and how not in ("fax", "bilevel"))
    image = np.array(sheet.image)
    if illegible:
        return save.picture(case, name, kinds, "illegible", conditions, capture.unreadable(image, rng, conditions), rng, folder, dpi)
    if before:
        conditions.append("stamp_copied")
        image = degrade_copy(image, how, rng, conditions)
    return taken_in(case, image, how, kinds, name, conditions, rng, folder, dpi)


def degrade_copy(image, how, rng, conditions):
    """The copier's part of the damage."""
    if how in ("photocopy", "worn"):
        return capture.photocopy(image, rng, conditions, worn=how == "worn")
    if how == "colour_copy":
        return capture.photocopy(image, rng, conditions, worn=rng.random() < 0.3, colour=True)
    if how in ("fax", "bilevel"):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return np.repeat(np.clip((grey - 40) * 255 / 165, 0, 255).astype(np.uint8)[..., None], 3, 2)
    return image


def taken_in(case, image, how, kinds, name, conditions, rng, folder, dpi):
    """The sheet as its device delivers it."""
    if harder.is_hard(case.split):
        image = harder.sheet_done_to(image, how, rng, conditions)
    if how == "photo":
        conditions.append("sheet_photographed")
        return sheet_photo(case, image, kinds, name, conditions, rng, folder)
    if how == "fax":
        picture, resolution = capture.fax(image, rng, conditions)
        return save.bits(case, name, kinds, "fax", conditions, picture, rng, folder, resolution)
    if how == "bilevel":
        picture, resolution = capture.bilevel(image, rng, conditions, dpi)
        return save.bits(case, name, kinds, "flatbed", conditions, picture, rng, folder, resolution)
    if how == "flatbed":
        image = capture.flatbed(image, rng, conditions)
    device = "flatbed" if how == "flatbed" else "photocopy"
    if device == "photocopy" and rng.random() < 0.12:
        image = capture.fold(image, rng)
        conditions.append("fold")
    if harder.is_hard(case.split):
        image, dpi = harder.coarse(image, dpi, rng, conditions)
    return save.picture(case, name, kinds, device, conditions, image, rng, folder, dpi)


def sheet_photo(case, image, kinds, name, conditions, rng, folder):
    """A sheet on a table by phone."""
    alpha = np.full(image.shape[:2], 255, np.uint8)
    if rng.random() < 0.4:
        image, alpha = photo.curled(image, alpha, rng)
        conditions.append("curled")
    if rng.random() < 0.25:
        image = capture.fold(image, rng)
        conditions.append("fold")
    back = rng.choice(styles.BACKGROUNDS[case.split])
    askew = 0.1 if harder.is_hard(case.split) else 0.07
    picture = photo.photograph(image, alpha, rng, back, conditions, rng.choice([2000, 2300, 2600]), askew)
    return save.picture(case, name, kinds, "photo", conditions, picture, rng, folder, 72, exif=True)


def two_pages(case, sides, kinds, name, about, rng, folder):
    """One file with a page for each side."""
    conditions = [*about, "multi_page"]
    pages = []
    for side in sides:
        sheet, boxes = cards.copy_sheet([side], rng, 150, colour=True)
        stamped(case, sheet, boxes, conditions, rng)
        pages.append(Image.fromarray(capture.flatbed(np.asarray(sheet.image), rng, conditions)))
    return save.pages(case, name, kinds, "flatbed", conditions, pages, rng, folder, 150)


def slip(case, rng, folder):
    """The slip: printed, signed, sealed, taken in."""
    style = slips.SlipStyle(rng, case.split)
    conditions = [f"layout:{style.columns}-{style.rules}-{style.place}-{style.digits}", f"print:{style.medium}", f"font:{style.font}", f"code:{style.code}"]
    values = dict(case.printed, slip_number=case.slip_number, outlet=f"{case.outlet[2]}（{case.outlet[0]}{case.outlet[1]}）",
                  accepted_on=rng.choice([f"{case.accepted_on:%Y年%m月%d日}", f"{case.accepted_on:%Y-%m-%d}", f"{case.accepted_on:%Y/%m/%d}"]),
                  product=case.product, clerk=case.staff, agent_id_type="居民身份证" if case.agent else "")
    dpi = rng.choice([150, 200, 200, 200, 250]) if style.medium != "thermal" else 300
    drawn = slips.draw(style, values, rng, dpi)
    sign(case, drawn, rng, conditions)
    options = ["flatbed", "photocopy", "worn", "fax", "bilevel", "photo", "screen", "colour_copy"]
    weights = [34, 12, 9, 5, 6, 26, 4, 4] if style.medium != "thermal" else [45, 10, 0, 0, 0, 40, 5, 0]
    how = rng.choices(options, weights)[0] if dpi > 150 else rng.choice(["flatbed", "photocopy", "photo"])
    image = np.array(drawn.sheet.image)
    if how == "screen":
        picture = photo.from_screen(image, rng, conditions, 2300)
        return save.picture(case, "slip", ["slip"], "screen", conditions, picture, rng, folder, 72)
    if how in ("photocopy", "worn", "colour_copy"):
        image = degrade_copy(image, how, rng, conditions)
    return taken_in(case, image, how, ["slip"], "slip", conditions, rng, folder, dpi)


def sign(case, drawn, rng, conditions):
    """Signature, date by hand, the clerk's hand and a seal that may cross them."""
    sheet = drawn.sheet
    x, y, width, height = drawn.sign_box
    if case.signed_name:
        mask = hands.scaled(case.hand.sign(case.signed_name, rng), sheet.px(min(case.hand.height, height)), sheet.px(width))
        mask = hands.visible(mask, sheet.px(rng.uniform(0.3, 0.5)))
        sheet.stamp_mask(mask, x + rng.uniform(0, max(0.1, width - mask.shape[1] / sheet.scale)), y + height - mask.shape[0] / sheet.scale - rng.uniform(0, 2), case.hand.ink)
        conditions.append("hand:real" if case.hand.writer else "hand:font")
    if rng.random() < 0.75:
        day = rng.choice([f"{case.accepted_on:%Y.%m.%d}", f"{case.accepted_on:%Y}年{case.accepted_on.month}月{case.accepted_on.day}日", f"{case.accepted_on.month}.{case.accepted_on.day}"])
        x, y, width, height = drawn.date_box
        sheet.stamp_mask(hands.scaled(hands.written(day, case.hand.font, rng), sheet.px(height), sheet.px(width)), x, y, case.hand.ink)
    if drawn.clerk_box and rng.random() < 0.6:
        x, y, width, height = drawn.clerk_box
        clerk = hands.written(rng.choice(words.SURNAMES) + rng.choice(words.MALE), rng.choice(styles.HAND_FONTS[case.split]), rng)
        sheet.stamp_mask(hands.scaled(clerk, sheet.px(height), sheet.px(width)), x, y, rng.choice(hands.INKS))
        conditions.append("clerk_signed")
    if rng.random() < 0.65:
        seal(case, drawn, rng, conditions)


def seal(case, drawn, rng, conditions):
    """The outlet's seal, beside or across the signature."""
    sheet = drawn.sheet
    mask = marks.seal(rng, drawn.style.company, rng.choice(["业务受理专用章", "营业专用章", "合同专用章"]), rng.choice(styles.STAMP_FONTS[case.split]), oval=rng.random() < 0.25)
    size = rng.uniform(30, 42)
    across = rng.random() < 0.3
    x, y, width, _ = drawn.sign_box if across else drawn.date_box
    mask = hands.scaled(mask, sheet.px(size), sheet.px(size))
    left = min(x + rng.uniform(0, width * 0.7), sheet.width - size - 2)
    sheet.stamp_mask(mask, left, y - rng.uniform(4, 14) if across else y + rng.uniform(-4, 6), marks.STAMP_INKS[rng.choice(["red", "red", "crimson", "vermilion"])])
    conditions.append("seal_across_signature" if across else "seal")
