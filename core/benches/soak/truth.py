"""What the simulated cameras sent, and what of it is in some bytes: each picture carries loop, number and UTC in an SEI message
(examples/cli/src/simulator/clip.rs), and the table of `vigie simulate --table` has the same."""
import array, bisect, mmap, re, struct

MARK = b"vigie-Sim-Pictur"
LINE = re.compile(rb'"camera":"cam(\d+)"[^\n]*?"micros":(-?\d+)')
# Loop, number and UTC: 16 bytes, and at most 8 that keep start codes out of them.
BODY = 24


def stamps(data):
    """The UTC, in microseconds, of each picture in `data`, in the order of the bytes."""
    found, at = array.array("q"), data.find(MARK)
    while at >= 0:
        body = bytes(data[at + 16:at + 16 + BODY]).replace(b"\0\0\3", b"\0\0")
        found.append(struct.unpack_from(">IIq", body)[2])
        at = data.find(MARK, at + 16)
    return found


class Table:
    """UTC of all that each camera sent, rising."""

    def __init__(self, path):
        self.cameras = {}
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for line in LINE.finditer(text):
                self.cameras.setdefault(int(line[1]), array.array("q")).append(int(line[2]))
        self.cameras = {camera: array.array("q", sorted(sent)) for camera, sent in self.cameras.items()}

    def between(self, camera, start, end):
        """What was taken in [start, end)."""
        sent = self.cameras[camera]
        return sent[bisect.bisect_left(sent, start):bisect.bisect_left(sent, end)]

    def wrong(self, camera, seen, start=None, end=None, extra=0):
        """Why `seen` is not each picture of [start, end) once, with `extra` others that it needs around them; '' where it is."""
        if not seen:
            return "no picture"
        rising = sorted(seen)
        if any(a == b for a, b in zip(rising, rising[1:])):
            return "a picture twice"
        wanted = self.between(camera, rising[0] if start is None else start, rising[-1] + 1 if end is None else end)
        missing = len(set(wanted) - set(rising))
        if missing:
            return f"{missing} of {len(wanted)} pictures missing"
        if set(rising) - set(self.between(camera, rising[0], rising[-1] + 1)):
            return "a picture that was not sent"
        others = len(rising) - len(wanted)
        return "" if extra is None or others == extra else f"{others} pictures around the span, {extra} told"


def phase(path, cameras, step=40_000):
    """For each camera where within a step its pictures lie, from the start of a table that grows."""
    with open(path, "rb") as file:
        text = file.read(400 * cameras * 10)
    found = {}
    for line in LINE.finditer(text):
        found.setdefault(int(line[1]), int(line[2]) % step)
    return found
