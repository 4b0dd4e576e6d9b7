"""Makes the clips of this folder: `pip install av==18.1.0 numpy` (x265 4.2 is in it), then `python3 make.py`."""
import re
from fractions import Fraction

import av
import numpy as np

PARAMETERS = ("b-adapt=0:b-pyramid=1:keyint=48:min-keyint=48:scenecut=0:log-level=error:pools=1:frame-threads=1:info=0:"
              "ref=5")
PICTURES = 100


def picture(number):
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:, :, 0] = number * 5 % 256
    pixels[10:40, number * 2 % 70 : number * 2 % 70 + 20, 1] = 255
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, 25)
    return frame


for depth, b_pictures in ((3, 7), (4, 15)):
    for gop in ("closed", "open"):
        encoder = av.CodecContext.create("libx265", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 96, 64, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25, 1)
        layers = f"bframes={b_pictures}:temporal-layers={depth + 1}:open-gop={int(gop == 'open')}"
        encoder.options = {"preset": "medium", "crf": "40", "x265-params": f"{layers}:{PARAMETERS}"}
        packets = [p for n in range(PICTURES) for p in encoder.encode(picture(n))] + encoder.encode()
        name = f"x265-depth-{depth}-{gop}"
        with open(f"{name}.h265", "wb") as file:
            file.write(b"".join(bytes(packet) for packet in packets))
        with open(f"{name}.times", "w") as file:
            file.write(re.sub(r"(.{1,110})( |$)", r"\1\n", " ".join(str(packet.pts) for packet in packets)))
