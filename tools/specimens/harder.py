"""What only the hardest sets have: copies of copies, sheets lying any way, coarse scans, cards strewn about, papers of foreigners."""
import random

import cv2
import numpy as np
from PIL import Image

import capture
import cards
import papers
import people
import styles

FOREIGN = ("护照", "外国护照", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "外国人永久居留身份证2017", "外国人永久居留身份证2023")
# Faults that do not ask for the number or the address of a resident card.
FAULTS_OF_FOREIGN = (None, "service_number", "no_signature", "contact_is_customer", "contact_phone_is_service", "no_stamp")
SLOTS = ("id_front", "id_back")


class Foreigner(people.Person):
    """A holder of a paper that is no resident card; the paper is drawn anew from its seed."""

    def card(self):
        """What the paper says, as the truth file tells it."""
        said = {}
        for side in self.sides:
            said.update(side.fields)
        return said


def foreigner(rng, split, regions, on):
    """Somebody invented with one of the other papers."""
    kind = rng.choice(FOREIGN)
    sides = papers.sides(kind, random.Random(rng.getrandbits(40)), split, regions, on)
    said = {key: value for side in sides for key, value in side.fields.items()}
    _, place, authority = regions.pick(rng, 2020)
    plain = people.make_person(rng, regions, split, on, kind="居民身份证")
    person = Foreigner(said["name"], said["sex"], "", plain.birth, place + people.pick_street(rng, split), said["id_number"], authority,
                       plain.valid_from, plain.valid_to, "护照" if kind.endswith("护照") else kind.rstrip("0123456789"))
    person.sides = sides
    return person


def sides_of(person, prefix):
    """Pictures at the size of a card, slots and short names of the sides of such a paper."""
    pictures = [Image.fromarray(cards.resized(side.image, round(side.size_mm[0] / 85.6 * cards.WIDTH))) for side in person.sides]
    return pictures, list(SLOTS[:len(pictures)]), [f"{prefix}f", f"{prefix}b"][:len(pictures)]


def sheet_done_to(image, how, rng, conditions):
    """A sheet copied a second time, or laid on the glass another way up."""
    if how in ("photocopy", "worn") and rng.random() < 0.4:
        image = capture.photocopy(image, rng, conditions, worn=False)
        conditions.append("second_generation")
    if how != "photo" and rng.random() < 0.25:
        quarter = rng.choice([1, 2, 3])
        image = np.ascontiguousarray(np.rot90(image, quarter))
        conditions.append(f"sheet_turned_{quarter * 90}")
    return image


def coarse(image, dpi, rng, conditions):
    """Now and then fewer dots than the device has: 110 to 150 an inch."""
    if rng.random() > 0.25 or dpi < 150:
        return image, dpi
    few = rng.choice([110, 130, 150])
    conditions.append(f"dpi_{few}")
    size = round(image.shape[1] * few / dpi), round(image.shape[0] * few / dpi)
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), few


def strewn(pictures, rng):
    """Cards lying about, each its own way: canvas and alpha."""
    turned = []
    for picture in pictures:
        corner = cards.rounded(Image.fromarray(picture))
        angle = rng.choice([rng.uniform(-25, 25), 180 + rng.uniform(-15, 15), rng.uniform(-8, 8)])
        turned.append([np.asarray(Image.fromarray(picture).rotate(angle, expand=True, resample=Image.BICUBIC)),
                       np.asarray(corner.rotate(angle, expand=True, resample=Image.BICUBIC))])
    width = max(card.shape[1] for card, _ in turned)
    height = sum(card.shape[0] for card, _ in turned) + 30 * (len(turned) - 1)
    canvas, alpha = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    top = 0
    for card, mask in turned:
        left = rng.randint(0, width - card.shape[1])
        canvas[top:top + card.shape[0], left:left + card.shape[1]] = card
        alpha[top:top + card.shape[0], left:left + card.shape[1]] = mask
        top += card.shape[0] + 30
    return canvas, alpha


def is_hard(split):
    """Whether sets of this split are drawn with all this."""
    return split in styles.HARDER
