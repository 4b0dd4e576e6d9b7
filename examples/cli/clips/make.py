#!/usr/bin/python3
"""Makes the clips of the simulated cameras: 60 s at 25 pictures/s, 640x360, a key picture every 2 s.

Needs ffmpeg with libx264 and libx265; single-threaded encoders, so that two runs give the same bytes.
    examples/cli/clips/make.py [OUTDIR]

Each picture carries a barcode at its top left: 24 cells of 16x16 pixels from (8, 8) on a white border of 8 pixels,
white = 1, most significant first: 4 bits sync 1010, 4 bits camera, 12 bits picture number, 4 bits check (the XOR of
the five nibbles before it).
"""
import os
import random
import subprocess
import sys

W, H, FPS, SECONDS = 640, 360, 25, 60


class Canvas:
    """A picture of W x H RGB pixels with flat shapes."""

    def __init__(self):
        self.px = bytearray(W * H * 3)

    def rect(self, x, y, w, h, rgb):
        x0, x1 = max(0, int(x)), min(W, int(x + w))
        for row in range(max(0, int(y)), min(H, int(y + h))):
            self.px[(row * W + x0) * 3:(row * W + x1) * 3] = bytes(rgb) * max(0, x1 - x0)

    def fade(self, y0, y1, top, bottom):
        for row in range(y0, y1):
            f = (row - y0) / max(1, y1 - y0 - 1)
            # Steps of four rows: a smooth ramp costs bits and shows nothing more.
            f = round(f * 16) / 16
            self.rect(0, row, W, 1, [round(a + (b - a) * f) for a, b in zip(top, bottom)])

    def poly(self, points, rgb):
        for row in range(H):
            xs = []
            for (xa, ya), (xb, yb) in zip(points, points[1:] + points[:1]):
                if (ya <= row) != (yb <= row):
                    xs.append(xa + (row - ya) * (xb - xa) / (yb - ya))
            xs.sort()
            for a, b in zip(xs[::2], xs[1::2]):
                self.rect(a, row, b - a, 1, rgb)

    def disc(self, cx, cy, r, rgb):
        for row in range(int(cy - r), int(cy + r) + 1):
            half = max(0, r * r - (row - cy) ** 2) ** 0.5
            self.rect(cx - half, row, 2 * half, 1, rgb)

    def house(self, x, base, w, h, wall, roof, rnd):
        self.rect(x, base - h, w, h, wall)
        self.poly([(x - 6, base - h), (x + w + 6, base - h), (x + w * 0.5, base - h - w * 0.32)], roof)
        for row in range(int(h // 34)):
            for col in range(int(w // 28)):
                lit = rnd.random() < 0.3
                self.rect(x + 10 + col * 28, base - h + 10 + row * 34, 14, 20, (236, 214, 150) if lit else (64, 76, 92))
                self.rect(x + 8 + col * 28, base - h + 30 + row * 34, 18, 2, (226, 222, 214))

    def tree(self, x, base, r):
        self.rect(x - 3, base - 34, 6, 34, (84, 66, 52))
        self.disc(x, base - 34 - r * 0.6, r, (66, 98, 66))
        self.disc(x - r * 0.5, base - 30 - r * 0.2, r * 0.7, (76, 110, 74))

    def road(self, top, colour=(86, 88, 92)):
        self.rect(0, top, W, H - top, (128, 126, 122))
        self.rect(0, top + 14, W, H - top - 40, colour)
        for x in range(0, W, 64):
            self.rect(x + 12, (top + H) // 2 - 8, 34, 4, (214, 212, 204))

    def save(self, path):
        with open(path, "wb") as f:
            f.write(b"P6 %d %d 255\n" % (W, H) + self.px)


def mairie(c, rnd):
    c.fade(0, 250, (150, 184, 214), (214, 224, 228))
    c.house(30, 250, 120, 110, (178, 120, 96), (96, 64, 60), rnd)
    c.house(490, 250, 130, 100, (190, 150, 118), (90, 70, 66), rnd)
    c.rect(190, 110, 270, 140, (206, 198, 182))
    c.rect(182, 100, 286, 12, (150, 146, 138))
    c.poly([(280, 100), (370, 100), (325, 62)], (150, 146, 138))
    c.disc(325, 86, 9, (238, 236, 228))
    for i in range(6):
        c.rect(204 + i * 43, 128, 20, 34, (70, 84, 104))
        c.rect(204 + i * 43, 184, 20, 40, (70, 84, 104))
    c.rect(306, 184, 38, 66, (92, 62, 48))
    for i, rgb in enumerate([(44, 70, 150), (236, 236, 236), (196, 48, 52)]):
        c.rect(318 + i * 8, 40, 8, 14, rgb)
    c.road(250)


def place(c, rnd):
    c.fade(0, 230, (128, 160, 196), (226, 214, 196))
    for i, (w, h) in enumerate([(110, 120), (100, 140), (120, 100), (104, 130), (110, 112), (120, 126)]):
        wall = [(186, 132, 104), (210, 190, 160), (160, 110, 92), (200, 176, 148), (176, 140, 116), (214, 200, 176)][i]
        c.house(i * 112 - 10, 230, w, h, wall, (88, 66, 64), rnd)
    c.rect(0, 230, W, H - 230, (168, 160, 148))
    for i in range(9):
        c.rect(0, 240 + i * 14, W, 1, (148, 140, 130))
    c.disc(320, 290, 46, (120, 128, 132))
    c.disc(320, 288, 38, (92, 140, 164))
    c.rect(315, 244, 10, 44, (136, 140, 144))
    for x in (70, 170, 470, 570):
        c.tree(x, 262, 24)


def ecole(c, rnd):
    c.fade(0, 240, (168, 196, 210), (222, 228, 224))
    c.rect(60, 120, 440, 120, (196, 112, 84))
    c.rect(50, 108, 460, 14, (232, 226, 214))
    for i in range(10):
        c.rect(78 + i * 42, 140, 28, 34, (88, 112, 132))
        c.rect(78 + i * 42, 190, 28, 34, (88, 112, 132))
    c.rect(262, 184, 36, 56, (44, 84, 116))
    c.rect(0, 240, W, 10, (90, 110, 80))
    for x in range(0, W, 12):
        c.rect(x, 222, 3, 28, (60, 92, 84))
    c.rect(0, 226, W, 3, (60, 92, 84))
    c.tree(560, 244, 30)
    c.tree(606, 248, 24)
    c.road(250, (94, 96, 98))
    for i in range(7):
        c.rect(280, 266 + i * 10, 70, 5, (226, 224, 216))


def gare(c, rnd):
    c.fade(0, 230, (54, 68, 96), (150, 132, 136))
    c.rect(0, 150, 300, 80, (120, 96, 88))
    for i in range(7):
        c.rect(16 + i * 40, 166, 22, 46, (238, 206, 128) if i % 3 else (70, 74, 90))
    c.rect(0, 138, 330, 12, (70, 66, 74))
    c.disc(280, 176, 15, (236, 232, 220))
    c.disc(280, 176, 12, (250, 248, 240))
    c.rect(279, 166, 2, 11, (40, 40, 44))
    c.rect(280, 175, 8, 2, (40, 40, 44))
    c.rect(0, 230, W, 26, (134, 130, 128))
    c.rect(0, 254, W, 3, (230, 210, 120))
    c.rect(0, 257, W, H - 257, (72, 68, 68))
    for x in range(0, W, 26):
        c.rect(x, 296, 12, 40, (54, 48, 46))
    c.rect(0, 300, W, 4, (164, 164, 168))
    c.rect(0, 326, W, 4, (164, 164, 168))
    for x in (380, 600):
        c.rect(x, 40, 5, 190, (56, 60, 70))
        c.rect(x - 60, 44, 120, 4, (56, 60, 70))
    c.rect(0, 60, W, 1, (40, 44, 54))


# A box that moves: colour, y, width, height, pixels per second (negative: to the left), seconds between two.
CAMERAS = [
    ("1-mairie.h264", mairie, 0, [("0x9c2f2f", 296, 58, 22, 90, 9), ("0x2f4f7c", 270, 52, 20, -70, 13), ("0x30343c", 232, 8, 24, 14, 31)]),
    ("2-place.h264", place, 2, [("0x3a3f4a", 300, 9, 28, 22, 20), ("0x7c3f52", 322, 10, 30, -18, 29), ("0x2f6f5c", 262, 7, 22, 12, 43)]),
    ("3-ecole.h264", ecole, 0, [("0xd8b02a", 286, 74, 30, 60, 17), ("0x40454f", 276, 50, 20, -84, 11), ("0x8a3a3a", 230, 7, 18, 16, 37)]),
    ("4-gare.h265", gare, 0, [("0x2d5f9a", 262, 260, 50, 140, 23), ("0x22262e", 214, 8, 24, -12, 41), ("0x6a4a3a", 218, 8, 22, 18, 27)]),
]


def barcode(camera):
    """The drawbox filters of the barcode; `n` is the picture's number."""
    cell = lambda i, colour, when: f"drawbox=x={8 + 16 * i}:y=8:w=16:h=16:color={colour}:t=fill" + (f":enable='{when}'" if when else "")
    out = [f"drawbox=x=0:y=0:w={8 * 2 + 16 * 24}:h=32:color=white:t=fill", "drawbox=x=8:y=8:w=384:h=16:color=black:t=fill"]
    fixed = [0b1010 >> 3 - i & 1 for i in range(4)] + [camera >> 3 - i & 1 for i in range(4)]
    out += [cell(i, "white", None) for i, bit in enumerate(fixed) if bit]
    bit = lambda i: f"gt(bitand(n,{1 << i}),0)"
    out += [cell(8 + i, "white", bit(11 - i)) for i in range(12)]
    for i in range(4):
        known = (0b1010 ^ camera) >> 3 - i & 1
        out.append(cell(20 + i, "white", f"mod({known}+{bit(11 - i)}+{bit(7 - i)}+{bit(3 - i)},2)"))
    return out


def movers(boxes):
    """Filter chains that lay the moving boxes over the scene: drawbox cannot move, overlay can."""
    label = "0:v"
    for i, (colour, y, w, h, speed, every) in enumerate(boxes):
        period = max(W + w, abs(speed) * every)
        way = f"mod(t*{abs(speed)},{period})"
        x = f"{way}-{w}" if speed > 0 else f"{W}-{way}"
        yield f"color=c={colour}:s={w}x{h}:r={FPS}[b{i}];[{label}][b{i}]overlay=x='{x}':y={y}:shortest=1:eval=frame[v{i}]"
        label = f"v{i}"


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for number, (name, scene, bframes, boxes) in enumerate(CAMERAS, 1):
        canvas = Canvas()
        scene(canvas, random.Random(number))
        ppm = os.path.join(out, name + ".ppm")
        canvas.save(ppm)
        chain = ";".join(movers(boxes)) + f";[v{len(boxes) - 1}]" + ",".join([*barcode(number), "format=yuv420p[out]"])
        key = f"keyint={2 * FPS}:min-keyint={2 * FPS}:scenecut=0:bframes={bframes}:repeat-headers=1"
        if name.endswith("264"):
            codec = ["-c:v", "libx264", "-threads", "1", "-preset", "slow", "-crf", "30", "-profile:v", "high",
                     "-x264-params", key + ":threads=1:b-adapt=0:open-gop=0:slices=1", "-f", "h264"]
        else:
            codec = ["-c:v", "libx265", "-preset", "medium", "-crf", "30",
                     "-x265-params", key + ":open-gop=0:frame-threads=1:pools=1:log-level=error:info=0", "-f", "hevc"]
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-loop", "1", "-framerate", str(FPS), "-i", ppm,
                        "-filter_complex", chain, "-map", "[out]", "-t", str(SECONDS), *codec, os.path.join(out, name)], check=True)
        os.remove(ppm)
        print(name, os.path.getsize(os.path.join(out, name)), "bytes")


main()
