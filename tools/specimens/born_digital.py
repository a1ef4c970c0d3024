"""Born-digital confirmation slips for the tests: PDF files with a text layer, one of which lies.

Usage: born_digital.py FOLDER

Writes slip.pdf, whose text is drawn and can be copied, and slip_other_text.pdf, whose page is a picture under a
hidden text layer that names another customer and another number. The people do not exist.
"""
import datetime
import io
import pathlib
import sys

import fpdf
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf"
TITLE = "业务确认单"
ROWS = [
    ("业务流水号", "TJ20260918HX010100007"),
    ("客户名称", "钱佳琪"),
    ("证件类型", "居民身份证"),
    ("证件号码", "120103199003070016"),
    ("证件地址", "天津市河西区友谊路8号楼1门107号"),
    ("业务号码", "15510000007"),
    ("联系人", "王雨桐"),
    ("联系电话", "18620000007"),
    ("通信地址", "天津市河西区友谊路8号楼1门107号"),
    ("办理业务", "预付费标准产品36元"),
    ("受理日期", "2026-09-18"),
]
OTHER = {"客户名称": "陈明轩", "证件号码": "120104198512250025", "业务号码": "15599999999"}
LEFT, VALUE, TOP, STEP, SIZE, TITLE_SIZE = 20, 55, 50, 12, 12, 20
POINT_MM = 25.4 / 72


def page():
    """An empty A4 page that can write Chinese."""
    pdf = fpdf.FPDF(format="A4")
    pdf.set_creation_date(datetime.datetime(2026, 9, 18, tzinfo=datetime.UTC))
    pdf.add_font("kai", fname=FONT)
    pdf.add_page()
    return pdf


def write(pdf, rows):
    """Writes title and rows as text."""
    pdf.set_font("kai", size=TITLE_SIZE)
    pdf.text(80, 30, TITLE)
    pdf.set_font("kai", size=SIZE)
    for number, (label, value) in enumerate(rows):
        pdf.text(LEFT, TOP + number * STEP, label + "：")
        pdf.text(VALUE, TOP + number * STEP, value)


def picture(dpi=200):
    """The same page as black and white pixels."""
    scale = dpi / 25.4
    image = Image.new("L", (round(210 * scale), round(297 * scale)), 255)
    draw = ImageDraw.Draw(image)

    def text(x, y, size, words):
        font = ImageFont.truetype(FONT, round(size * POINT_MM * scale))
        draw.text((x * scale, y * scale), words, font=font, fill=0, anchor="ls")

    text(80, 30, TITLE_SIZE, TITLE)
    for number, (label, value) in enumerate(ROWS):
        text(LEFT, TOP + number * STEP, SIZE, label + "：")
        text(VALUE, TOP + number * STEP, SIZE, value)
    held = io.BytesIO()
    image.point(lambda shade: 255 * (shade > 127)).convert("1").save(held, "PNG")
    held.seek(0)
    return held


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    honest = page()
    write(honest, ROWS)
    honest.output(folder / "slip.pdf")
    lying = page()
    lying.image(picture(), 0, 0, 210, 297)
    with lying.local_context(text_mode=fpdf.enums.TextMode.INVISIBLE):
        write(lying, [(label, OTHER.get(label, value)) for label, value in ROWS])
    lying.output(folder / "slip_other_text.pdf")


main()
