"""Who reads while it records: exports by the program, and the centre's HTTP doors. What was got is kept for a check against
the table at the end; what is wrong at once is said at once."""
import hashlib, http.client, json, random, shutil, subprocess, threading, time

from host import tenant
from truth import stamps

# Of footage, before now: until then it is on the disk and in the index.
SETTLED = 12_000_000


def utc(micros):
    seconds, rest = divmod(micros, 1_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:06}Z"


class Got:
    """Pictures that somebody was given, for the check at the end."""

    def __init__(self, what, camera, seen, start=None, end=None, extra=None, shown=None):
        self.what, self.camera, self.seen = what, camera, seen
        self.start, self.end, self.extra, self.shown = start, end, extra, shown


class Client(threading.Thread):
    """One of many; does `step` again and again."""
    kind, pause = "", 0.5

    def __init__(self, run, number):
        super().__init__(daemon=True)
        self.run_, self.number, self.random = run, number, random.Random(number)
        self.steps, self.bytes, self.got, self.wrong = 0, 0, [], []
        self.waits = []

    def run(self):
        while not self.run_.over.is_set():
            try:
                self.step()
                self.steps += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it is what the run is to find; the centre outlives its clients
                self.say(f"{type(error).__name__}: {error}")
            self.run_.over.wait(self.pause)
        try:
            self.end()
        except Exception as error:  # noqa: BLE001
            self.say(f"at the end: {type(error).__name__}: {error}")

    def end(self):
        """The last thing, while the centre still runs."""

    def say(self, what):
        self.wrong.append(f"{self.kind} {self.number}: {what}")

    def want(self, right, what):
        if not right:
            self.say(what)
        return right

    def camera(self):
        return self.random.randint(1, self.run_.cameras)

    def path(self, camera):
        return f"{tenant(camera, self.run_.cameras)}/cam{camera}"

    def span(self, camera, most):
        """A span that is recorded, its ends between two pictures."""
        run = self.run_
        last = int(time.time() * 1e6) - SETTLED
        while last - run.since < 4_000_000:
            time.sleep(1)
            last = int(time.time() * 1e6) - SETTLED
        length = self.random.randint(2_000_000, min(most, last - run.since - 1_000_000))
        start = self.random.randint(run.since, last - length)
        between = lambda at: at - at % 40_000 + run.phase[camera] + 20_000
        return between(start), between(start + length)

    def get(self, path, headers=None, method="GET"):
        centre, start = self.run_.centre, time.monotonic()
        connection = http.client.HTTPConnection(centre.host, centre.port, timeout=60)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {centre.token}", **(headers or {})})
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        self.waits.append(time.monotonic() - start)
        self.bytes += len(body)
        return answer.status, answer.headers, body


class Exporter(Client):
    """`vigie export` of the growing store: a movie, or a folder with originals and manifest, which is verified."""
    kind, pause = "export", 0.2

    def step(self):
        run, camera = self.run_, self.camera()
        start, end = self.span(camera, 60_000_000)
        folder = self.steps % 2 == 1
        out = run.folder / f"export-{self.number}{'' if folder else '.mp4'}"
        words = [run.vigie, "--json", "export", "--store", run.centre.store, "--tenant", tenant(camera, run.cameras), "--camera", f"cam{camera}",
                 "--from", utc(start), "--to", utc(end), "--operator", "soak", "--reason", "soak", "-o", out]
        began = time.monotonic()
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.waits.append(time.monotonic() - began)
        try:
            if self.want(done.returncode == 0, f"exit code {done.returncode} for {utc(start)} to {utc(end)} of cam{camera}: {done.stderr.strip()[-300:]}"):
                self.look(json.loads(done.stdout), camera, start, end, out, folder)
        finally:
            shutil.rmtree(out, ignore_errors=True) if folder else out.unlink(missing_ok=True)

    def look(self, told, camera, start, end, out, folder):
        files = told["files"]
        if not self.want(len(files) == 1 and told["complete"], f"{len(files)} files of cam{camera}, complete: {told['complete']}"):
            return
        movie = out / files[0]["path"].rsplit("/", 1)[-1] if folder else out
        data = movie.read_bytes()
        self.bytes += len(data)
        shown, hidden = files[0]["pictures"], files[0]["hidden_pictures"]
        self.got.append(Got("export", camera, stamps(data), start, end, hidden, shown))
        if folder:
            done = subprocess.run([self.run_.vigie, "export", "--verify", out], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.want(done.returncode == 0, f"its folder does not verify: {done.stdout[-300:]}")
        if self.steps % self.run_.judged == 0:
            self.judge(movie, shown + hidden)

    def judge(self, movie, pictures):
        """Another reader counts, and decodes all."""
        words = ["ffprobe", "-v", "error", "-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", movie]
        counted = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()
        self.want(counted == str(pictures), f"ffprobe counts {counted} pictures where there are {pictures}")
        said = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", movie, "-f", "null", "-"], stderr=subprocess.PIPE, text=True).stderr
        self.want(not said.strip(), f"ffmpeg says: {said.strip()[-200:]}")
        self.run_.judgements += 1


class Films(Client):
    """The virtual MP4: whole, by ranges, and again later."""
    kind = "mp4"

    def __init__(self, *args):
        super().__init__(*args)
        self.known = []

    def step(self):
        camera = self.camera()
        start, end = self.span(camera, 60_000_000)
        path = f"/api/mp4/{self.path(camera)}?from={utc(start)}&to={utc(end)}"
        status, headers, _ = self.get(path, method="HEAD")
        if status == 307:
            return self.want(False, f"{path} is not final")
        if not self.want(status == 200, f"{path}: {status}"):
            return
        tag, length = headers["etag"], int(headers["content-length"])
        self.want(headers["vigie-files"] == "1", f"{path}: {headers['vigie-files']} files")
        parts = []
        for _ in range(3):
            first = self.random.randrange(length)
            last = min(length - 1, first + self.random.randrange(1, 400_000))
            status, headers, body = self.get(path, {"Range": f"bytes={first}-{last}", "If-Range": tag})
            right = status == 206 and headers["content-range"] == f"bytes {first}-{last}/{length}" and len(body) == last - first + 1
            self.want(right, f"{path}, {first}-{last}: {status}, {headers['content-range']}, {len(body)} bytes")
            parts.append((first, body))
        status, headers, whole = self.get(path)
        self.want((status, headers["etag"], len(whole)) == (200, tag, length), f"{path}: the whole is another: {status}, {headers['etag']}")
        for first, body in parts:
            self.want(whole[first:first + len(body)] == body, f"{path}: the range at {first} is not that of the whole")
        self.got.append(Got("mp4", camera, stamps(whole), start, end, shown=int(headers["vigie-pictures"])))
        if len(self.known) < 8:
            self.known.append((path, tag, hashlib.sha256(whole).digest()))
        elif self.steps % 5 == 0:
            self.again(self.random.choice(self.known))

    def again(self, known):
        path, tag, digest = known
        status, headers, body = self.get(path)
        same = (status, headers["etag"], hashlib.sha256(body).digest()) == (200, tag, digest)
        self.want(same, f"{path}: asked again it is another: {status}, {headers['etag']} for {tag}")
        status, _, body = self.get(path, {"If-None-Match": tag})
        self.want((status, body) == (304, b""), f"{path}: {status} for its own tag")

    def end(self):
        for known in self.known:
            self.again(known)


class Hls(Client):
    """Follows a camera by HLS, as a player does."""
    kind, pause = "hls", 2

    def __init__(self, *args):
        super().__init__(*args)
        self.camera_ = self.camera()
        self.base = f"/api/hls/{self.path(self.camera_)}/"
        self.place, self.fetched, self.seen = None, set(), stamps(b"")

    def step(self):
        if self.place is None:
            status, headers, _ = self.get(self.base + "index.m3u8")
            if self.want(status == 307, f"playlist: {status}"):
                self.place = headers["location"]
            return
        status, _, body = self.get(self.base + self.place)
        if not self.want(status == 200, f"playlist: {status}"):
            return
        lines = body.decode().splitlines()
        self.want("#EXT-X-GAP" not in lines and "#EXT-X-DISCONTINUITY" not in lines, "a hole in the playlist")
        names = [line for line in lines if line and not line.startswith("#")]
        for name in [line.split('"')[1] for line in lines if line.startswith("#EXT-X-MAP")] + names:
            if name in self.fetched:
                continue
            status, _, body = self.get(self.base + name)
            self.want(status == 200, f"{name}: {status}")
            self.fetched.add(name)
            if name in names:
                self.seen.extend(stamps(body))

    def end(self):
        self.got.append(Got("hls", self.camera_, self.seen))


class Questions(Client):
    """What the page asks: cameras, the line of time, availability, a picture, an index, a day's pages."""
    kind = "json"

    def step(self):
        camera = self.camera()
        path, (start, end) = self.path(camera), self.span(camera, 600_000_000)
        span = f"from={utc(start)}&to={utc(end)}"
        day = time.strftime("%Y-%m-%d", time.gmtime(end // 1_000_000))
        question = self.steps % 6
        if question == 0:
            cameras = [c for t in json.loads(self.answer("/api/cameras"))["tenants"] for c in t["cameras"]]
            dark = [c["id"] for c in cameras if c["state"] != "recording"]
            self.want(not dark and len(cameras) == self.run_.cameras, f"not recorded: {dark[:5]}")
        elif question == 1:
            line = json.loads(self.answer(f"/api/timeline/{path}?{span}"))
            self.want(len(line["ranges"]) == 1 and not line["gaps"], f"{path}, {span}: {line}")
        elif question == 2:
            months = json.loads(self.answer(f"/api/availability/{path}?{span}"))
            self.want(all(month["share"] > 0.999 for month in months) and months, f"{path}, {span}: {months}")
        elif question == 3:
            picture = self.answer(f"/api/picture/{path}?at={utc(end)}")
            seen = stamps(picture)
            self.want(len(seen) == 1 and end - 4_000_000 < seen[0] <= end, f"{path} at {utc(end)}: a picture of {list(seen)}")
        elif question == 4:
            self.want(len(self.answer(f"/archive/{path}/{day}.pages")) > 0, "no page directory")
        else:
            status, _, body = self.get(f"/archive/{path}/{day}.gix", {"Range": "bytes=0-4095"})
            self.want(status == 206 and body, f"index: {status}")

    def answer(self, path):
        status, _, body = self.get(path)
        if status != 200:
            raise ValueError(f"{path}: {status} {body[:200]}")
        return body
