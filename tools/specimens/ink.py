"""Drawing in millimetres: text with a fallback for rare characters, lines, and ink laid over paper."""
import cv2
import numpy as np
from PIL import Image, ImageDraw

import styles


def text_width(text, font, pixels, spacing=0):
    """Width of a line in pixels."""
    return sum(styles.advance(font, pixels, c) + spacing for c in text)


def draw_text(draw, xy, text, font, pixels, fill, spacing=0.0):
    """Draws one line from its top left corner and returns where it ends."""
    x, y = xy
    own = styles.load(font, pixels)
    if not spacing and all(styles.covering(font, c) == font for c in text):
        draw.text((x, y), text, font=own, fill=fill, anchor="ls")
        return x + own.getlength(text)
    for char in text:
        face = styles.load(styles.covering(font, char), pixels)
        draw.text((x, y), char, font=face, fill=fill, anchor="ls")
        x += styles.advance(font, pixels, char) + spacing
    return x


def wrap(text, font, pixels, width):
    """Breaks an address into lines no wider than `width`."""
    lines, line = [], ""
    for char in text:
        if line and text_width(line + char, font, pixels) > width:
            lines.append(line)
            line = ""
        line += char
    return lines + [line]


class Sheet:
    """A paper of a size in millimetres; data may be drawn to a layer of its own to be printed by dots."""

    def __init__(self, width, height, dpi, paper=(255, 255, 255)):
        self.dpi, self.scale = dpi, dpi / 25.4
        self.width, self.height = width, height
        self.image = Image.new("RGB", (round(width * self.scale), round(height * self.scale)), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.layer = None

    def px(self, value):
        """Millimetres to pixels."""
        return value * self.scale

    def text(self, x, y, text, font, size, fill=(20, 20, 20), spacing=0.0):
        """Draws a line whose baseline is at `y`; the size is the em in millimetres."""
        end = draw_text(self.draw, (self.px(x), self.px(y)), text, font, round(self.px(size)), fill, self.px(spacing))
        return end / self.scale

    def data(self, x, y, text, font, size, fill=(20, 20, 20), spacing=0.0):
        """Draws entered data: into the dot layer where there is one."""
        if self.layer is None:
            return self.text(x, y, text, font, size, fill, spacing)
        ratio = self.layer.scale_mm
        end = draw_text(self.layer.draw, (x * ratio, y * ratio), text, font, round(size * ratio), 255, spacing * ratio)
        return end / ratio

    def measure(self, text, font, size):
        """Width of a line in millimetres."""
        return text_width(text, font, round(self.px(size))) / self.scale

    def wrap(self, text, font, size, width):
        """Lines of at most `width` millimetres."""
        return wrap(text, font, round(self.px(size)), self.px(width))

    def line(self, x0, y0, x1, y1, fill=(40, 40, 40), thick=0.2):
        """A straight rule."""
        self.draw.line([self.px(v) for v in (x0, y0, x1, y1)], fill=fill, width=max(1, round(self.px(thick))))

    def dashed(self, x0, y, x1, fill=(60, 60, 60)):
        """A level dashed rule."""
        x = x0
        while x < x1:
            self.line(x, y, min(x + 1.6, x1), y, fill)
            x += 2.6

    def box(self, x0, y0, x1, y1, fill=(40, 40, 40), thick=0.2):
        """A frame."""
        self.draw.rectangle([self.px(v) for v in (x0, y0, x1, y1)], outline=fill, width=max(1, round(self.px(thick))))

    def start_dots(self):
        """Sends data to a coarse layer, as a needle printer would print it."""
        self.layer = DotLayer(self.width, self.height)

    def finish_dots(self, rng, colour=(50, 45, 60)):
        """Strikes the needle layer onto the paper, out of register by up to a millimetre, with a worn ribbon."""
        if self.layer is None:
            return
        width, height = self.image.size
        mask = self.layer.struck(width, height, rng)
        shift = np.float32([[1, 0, self.px(rng.uniform(-0.8, 0.8))], [0, 1, self.px(rng.uniform(-0.5, 0.5))]])
        mask = cv2.warpAffine(mask, shift, (width, height))
        ribbon = cv2.resize(np.random.default_rng(rng.getrandbits(32)).uniform(0.6, 1, (40, 6)).astype(np.float32), (width, height))
        self.image = Image.fromarray(blend(np.asarray(self.image), (mask * ribbon).astype(np.uint8), colour))
        self.draw = ImageDraw.Draw(self.image)
        self.layer = None

    def stamp_mask(self, mask, x, y, colour):
        """Multiplies a mask of ink in at (x, y) in millimetres."""
        self.image = Image.fromarray(place(np.array(self.image), mask, round(self.px(x)), round(self.px(y)), colour))
        self.draw = ImageDraw.Draw(self.image)


class DotLayer:
    """A coarse layer on which every pixel is one needle stroke."""

    scale_mm = 180 / 25.4

    def __init__(self, width, height):
        self.image = Image.new("L", (round(width * self.scale_mm), round(height * self.scale_mm)), 0)
        self.draw = ImageDraw.Draw(self.image)

    def struck(self, width, height, rng):
        """The layer as round dots at the size of the sheet."""
        strokes = (np.asarray(self.image) > 105).astype(np.uint8) * 255
        fine = np.zeros((strokes.shape[0] * 2, strokes.shape[1] * 2), np.uint8)
        fine[::2, ::2] = strokes
        soft = cv2.GaussianBlur(fine, (0, 0), rng.uniform(0.6, 0.8))
        soft = cv2.convertScaleAbs(soft, alpha=rng.uniform(2.8, 3.4))
        return cv2.resize(soft, (width, height), interpolation=cv2.INTER_AREA)


def blend(image, mask, colour):
    """Lays ink of a colour over an image where the mask says so; ink only darkens."""
    alpha = (mask.astype(np.float32) / 255)[..., None]
    inked = image * (1 - alpha) + np.minimum(image, np.array(colour, np.float32)) * alpha
    return inked.astype(np.uint8)


def place(image, mask, x, y, colour):
    """Blends a mask into a part of an image; what falls outside is cut off. The image is changed in place."""
    top, left = max(0, y), max(0, x)
    bottom, right = min(image.shape[0], y + mask.shape[0]), min(image.shape[1], x + mask.shape[1])
    if bottom > top and right > left:
        part = mask[top - y:bottom - y, left - x:right - x]
        image[top:bottom, left:right] = blend(image[top:bottom, left:right], part, colour)
    return image


def rotated(mask, degrees):
    """Turns a mask about its middle, widened so that nothing is lost."""
    height, width = mask.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width, new_height = int(height * sin + width * cos) + 2, int(height * cos + width * sin) + 2
    matrix[:, 2] += [new_width / 2 - width / 2, new_height / 2 - height / 2]
    return cv2.warpAffine(mask, matrix, (new_width, new_height))


def clouds(rng, height, width, cell, low, high):
    """A smooth random field of floats between `low` and `high`."""
    coarse = np.random.default_rng(rng.getrandbits(32)).uniform(low, high, (max(2, height // cell + 2), max(2, width // cell + 2)))
    return cv2.resize(coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)


def grain(rng, height, width, sigma):
    """Sensor or paper noise: a tile drawn once, repeated at a random offset."""
    tile = np.random.default_rng(rng.getrandbits(32)).normal(0, sigma, (256, 256)).astype(np.float32)
    tile = np.tile(tile, (height // 256 + 2, width // 256 + 2))
    top, left = rng.randint(0, 255), rng.randint(0, 255)
    return tile[top:top + height, left:left + width]


def grainy(rng, image, sigma, gain=1.0):
    """An 8-bit colour image with noise and another exposure."""
    noise = grain(rng, *image.shape[:2], sigma).astype(np.int16)
    image = cv2.convertScaleAbs(image, alpha=gain)
    return cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U)
