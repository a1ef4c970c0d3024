"""Writes scans in the formats that outlets send, with names that begin with the slip number."""
import time

import numpy as np
from PIL import Image

import harder

EPOCH = time.gmtime(1_790_000_000)
TURN_TAGS = {3: 180, 6: 270, 8: 90}


def entry(name, kinds, device, conditions):
    """One scan as the truth file tells it."""
    return {"file": name, "kind": kinds, "capture": device, "conditions": sorted(set(conditions))}


def picture(case, name, kinds, device, conditions, image, rng, folder, dpi, exif=False):
    """A colour picture as JPEG, now and then as PDF or TIFF."""
    form = "jpg" if exif else rng.choices(["jpg", "pdf", "tif", "png"], [84, 9, 4, 3])[0]
    quality = rng.choice([92, 85, 75, 75, 60, 45]) if not harder.is_hard(case.split) else rng.choice([85, 70, 50, 40, 35])
    conditions = [*conditions, *(["low_jpeg"] if quality <= 45 and form == "jpg" else [])]
    file = f"{case.slip_number}-{name}.{form}"
    image = Image.fromarray(image)
    if np.ptp(np.asarray(image.resize((64, 64))).astype(int), axis=2).max() < 8:
        image = image.convert("L")
    if exif and rng.random() < 0.2:
        save_tagged(image, folder / file, quality, rng, conditions)
    elif form == "jpg":
        image.save(folder / file, quality=quality, dpi=(dpi, dpi))
    elif form == "tif":
        image.save(folder / file, compression="tiff_lzw", dpi=(dpi, dpi))
    elif form == "png":
        image.save(folder / file, dpi=(dpi, dpi), compress_level=3)
    else:
        image.save(folder / file, resolution=dpi, quality=quality, creationDate=EPOCH, modDate=EPOCH)
    return entry(file, kinds, device, conditions)


def save_tagged(image, path, quality, rng, conditions):
    """Saves the pixels turned, with the EXIF tag that turns them back."""
    tag = rng.choice(list(TURN_TAGS))
    data = Image.Exif()
    data[0x0112] = tag
    conditions.append("exif_turn")
    image.rotate({3: 180, 6: 90, 8: 270}[tag], expand=True).save(path, quality=quality, exif=data)


def bits(case, name, kinds, device, conditions, image, rng, folder, resolution):
    """A black and white picture as TIFF, Group 4 or Group 3."""
    group = rng.choice(["group4", "group4", "group3"]) if device == "fax" else "group4"
    file = f"{case.slip_number}-{name}.tif"
    image.save(folder / file, compression=group, dpi=resolution)
    return entry(file, kinds, device, [*conditions, group])


def pages(case, name, kinds, device, conditions, images, rng, folder, dpi):
    """Several pages in one PDF or TIFF."""
    form = rng.choice(["pdf", "tif"])
    file = f"{case.slip_number}-{name}.{form}"
    options = {"resolution": dpi, "quality": 80, "creationDate": EPOCH, "modDate": EPOCH} if form == "pdf" else {"compression": "tiff_lzw", "dpi": (dpi, dpi)}
    images[0].save(folder / file, save_all=True, append_images=images[1:], **options)
    return entry(file, kinds, device, conditions)
