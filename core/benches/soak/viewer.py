"""A live viewer: RTSP with interleaved RTP over WebSocket, as the page's player speaks it, in plain Python."""
import array, base64, os, socket, struct, time

from clients import Client, Got
from truth import stamps

# Then it comes anew, as viewers do.
STAYS = 45


class Socket:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /rtsp HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: http://{host}:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Protocol: rtsp.onvif.org\r\n\r\n").encode())
        self.raw, self.bytes, self.total = b"", bytearray(), 0
        while b"\r\n\r\n" not in self.raw:
            self.raw += self.more()
        head, self.raw = self.raw.split(b"\r\n\r\n", 1)
        if b" 101 " not in head:
            raise ValueError(head.split(b"\r\n")[0].decode())

    def more(self):
        data = self.socket.recv(256 << 10)
        if not data:
            raise EOFError("the centre hung up")
        self.total += len(data)
        return data

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = struct.pack(">B", 0x80 | len(data)) if len(data) < 126 else struct.pack(">BH", 0x80 | 126, len(data))
        self.socket.sendall(b"\x82" + length + mask + bytes(b ^ mask[n % 4] for n, b in enumerate(data)))

    def message(self):
        """The next message's bytes go to the stream."""
        while True:
            if len(self.raw) >= 2:
                length, head = self.raw[1] & 127, 2
                if length >= 126:
                    head = 4 if length == 126 else 10
                    length = int.from_bytes(self.raw[2:head], "big") if len(self.raw) >= head else None
                if length is not None and len(self.raw) >= head + length:
                    kind, body = self.raw[0] & 15, self.raw[head:head + length]
                    self.raw = self.raw[head + length:]
                    if kind == 8:
                        raise EOFError(f"the centre closed: {body[2:].decode(errors='replace')}")
                    if kind in (0, 2):
                        self.bytes += body
                        return
                    continue
            self.raw += self.more()

    def need(self, count):
        while len(self.bytes) < count:
            self.message()

    def next(self):
        """An interleaved packet as (channel, bytes), or an answer as (None, text)."""
        self.need(4)
        if self.bytes[0] == 0x24:
            length = int.from_bytes(self.bytes[2:4], "big")
            self.need(4 + length)
            packet = self.bytes[1], bytes(self.bytes[4:4 + length])
            del self.bytes[:4 + length]
            return packet
        while (end := self.bytes.find(b"\r\n\r\n")) < 0:
            self.message()
        head = self.bytes[:end].decode()
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head.split("\r\n")[1:])}
        length = int(fields.get("content-length", 0))
        self.need(end + 4 + length)
        text = head + "\r\n\r\n" + self.bytes[end + 4:end + 4 + length].decode()
        del self.bytes[:end + 4 + length]
        return None, (int(head.split()[1]), fields, text)


class Viewer(Client):
    kind = "live"

    def __init__(self, *args):
        super().__init__(*args)
        self.late = []

    def step(self):
        centre, camera = self.run_.centre, self.camera()
        line, number = Socket(centre.host, centre.port), 0
        url = f"rtsp://{centre.host}:{centre.port}/{self.path(camera)}"

        def ask(method, target, *fields):
            nonlocal number
            number += 1
            line.send("\r\n".join([f"{method} {target} RTSP/1.0", f"CSeq: {number}", f"Authorization: Bearer {centre.token}", *fields, "", ""]))
            while True:
                channel, answer = line.next()
                if channel is None:
                    if answer[0] != 200:
                        raise ValueError(f"{method}: {answer[0]}")
                    return answer
        _, fields, text = ask("DESCRIBE", url, "Accept: application/sdp")
        control = [sdp.split(":", 1)[1] for sdp in text.split("m=video", 1)[1].splitlines() if sdp.startswith("a=control:")][0]
        base = fields.get("content-base", url + "/")
        track = control if "://" in control else base.rstrip("/") + "/" + control
        _, fields, _ = ask("SETUP", track, "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        session = "Session: " + fields["session"].split(";")[0]
        ask("PLAY", url, session, "Range: npt=now-")
        seen, last, until = array.array("q"), None, time.monotonic() + STAYS
        try:
            while time.monotonic() < until and not self.run_.over.is_set():
                channel, packet = line.next()
                if channel != 0:
                    continue
                sequence = int.from_bytes(packet[2:4], "big")
                self.want(last is None or sequence == (last + 1) % 65536, f"cam{camera}: packet {sequence} after {last}")
                last = sequence
                for stamp in stamps(packet):
                    seen.append(stamp)
                    self.late.append(time.time() - stamp / 1e6)
        finally:
            self.bytes += line.total
            line.socket.close()
        self.got.append(Got("live", camera, seen))
