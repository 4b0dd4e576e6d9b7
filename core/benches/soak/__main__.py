#!/usr/bin/python3
"""One server process that records many simulated cameras while others export, watch and ask.

  /usr/bin/python3 core/benches/soak [--cameras 200] [--kbps 1000] [--seconds 600] [--exports 8] [--readers 32] [--keep]

Starts `vigie simulate` and one `vigie-centre` (release builds) on a fresh store, and at all times runs so many `vigie export` of
the growing store, and so many readers of the centre: virtual MP4 by ranges, HLS, the page's questions, live viewers. At the end
the centre is stopped by Ctrl-C, and each picture that was sent is looked for in the media files, by the stamp that it carries;
so are those of each export and reader. Prints each value beside its bound; exit 1 beyond one. Needs ffmpeg.
"""
import argparse, collections, json, os, pathlib, shutil, statistics, sys, tempfile, threading, time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import host, truth
from clients import Exporter, Films, Hls, Questions
from viewer import Viewer

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# Until all cameras are recorded; of pictures sent before Ctrl-C that may still be on their way, in seconds.
START, ON_THE_WAY = 30, 1.0
# Microseconds between a picture and the last that is sent after it and shown before.
REORDERED = 400_000
# Alone, before anybody reads.
ALONE = 15
# Of the memory's mean: what a line through its second half may climb.
CLIMB, CLIMB_MIB = 0.03, 4
# A sync writes whole pages of the system: that of the index, and of the media the one it begins in once more; and what closes files.
BOUND_CPU, BOUND_MEMORY, BOUND_BESIDES, BOUND_STOP = 4.0, 2.5, 3 * 4_096, 20


class Run:
    """What the clients share."""

    def __init__(self, options, folder):
        self.cameras, self.folder, self.vigie, self.judged = options.cameras, folder, TARGET / "release/vigie", 10
        self.over, self.judgements = threading.Event(), 0
        self.simulator = host.Simulator(self.vigie, folder, options.cameras, options.kbps)
        self.began = time.monotonic()
        self.centre = host.Centre(TARGET / "release/vigie-centre", folder, self.simulator.urls)

    def wait_for_all(self):
        asker, most = Questions(self, 0), time.monotonic() + 4 * START
        while time.monotonic() < most:
            cameras = [c for t in json.loads(asker.answer("/api/cameras"))["tenants"] for c in t["cameras"]]
            live = sum(c["state"] == "recording" for c in cameras)
            if live == self.cameras:
                return time.monotonic() - self.began
            time.sleep(0.25)
        sys.exit(f"{live} of {self.cameras} cameras are recorded after {4 * START} s")


class Report:
    def __init__(self):
        self.beyond = []

    def line(self, what, value, bound="", right=True):
        print(f"{what:62} {value:>28}   {bound}{'' if right else '   BEYOND'}", flush=True)
        if not right:
            self.beyond.append(what)


def sample(centre, over, samples):
    while not over.is_set():
        samples.append(centre.reading())
        over.wait(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--kbps", type=int, default=1000, help="of each camera")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--exports", type=int, default=8)
    parser.add_argument("--readers", type=int, default=32)
    parser.add_argument("--keep", action="store_true", help="leave store, logs and table behind")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vigie-soak-", dir=os.environ.get("VIGIE_SOAK_DIR", TARGET)))
    load = " ".join(pathlib.Path("/proc/loadavg").read_text().split()[:3])
    print(f"{options.cameras} cameras of {options.kbps} kb/s, {options.exports} exports and {options.readers} readers at all times, {options.seconds} s; "
          f"load average before: {load}; {os.cpu_count()} cores", flush=True)
    run = None
    try:
        run = Run(options, folder)
        report = soak(run, options)
    finally:
        if run:
            for process in (run.centre.process, run.simulator.process):
                if process.poll() is None:
                    process.kill()
                    process.wait()
        print(f"left in {folder}" if options.keep else "", file=sys.stderr)
        if not options.keep:
            shutil.rmtree(folder)
    if report.beyond:
        sys.exit("beyond its bound, or wrong: " + "; ".join(report.beyond))


def soak(run, options):
    report, samples = Report(), []
    started = run.wait_for_all()
    report.line("all cameras recorded after, s", f"{started:.1f}", f"≤ {START}", started <= START)
    run.since = int(time.time() * 1e6) + 6_000_000
    time.sleep(6)
    run.phase = truth.phase(run.simulator.table, run.cameras)
    alone = run.centre.reading()
    time.sleep(ALONE)
    after = run.centre.reading()
    alone = (after["cpu"] - alone["cpu"]) * 1e3 / (after["at"] - alone["at"]) / run.cameras
    report.line("CPU, ms per second and camera, nobody reading", f"{alone:.2f}")

    kinds = [Films, Hls, Questions, Viewer]
    clients = [Exporter(run, n) for n in range(options.exports)]
    clients += [kinds[n % len(kinds)](run, n) for n in range(options.readers)]
    sampler = threading.Thread(target=sample, args=(run.centre, run.over, samples), daemon=True)
    sampler.start()
    for client in clients:
        client.start()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and run.centre.process.poll() is None:
        time.sleep(1)
    run.over.set()
    for thread in [sampler, *clients]:
        thread.join(120)
    for client in clients:
        client.want(not client.is_alive(), "still waits for an answer after two minutes")
    stopped = int(time.time() * 1e6)
    took, code = run.centre.stop()
    run.simulator.stop()
    report.line("Ctrl-C to the end of the centre, s; exit code", f"{took:.1f}; {code}", f"≤ {BOUND_STOP}; 0", took <= BOUND_STOP and code == 0)

    costs(report, samples, run)
    table = truth.Table(run.simulator.table)
    kept(report, run, table, stopped)
    served(report, clients, table, run)
    return report


def costs(report, samples, run):
    first, last = samples[0], samples[-1]
    cpu = (last["cpu"] - first["cpu"]) * 1e3 / (last["at"] - first["at"]) / run.cameras
    report.line("CPU, ms per second and camera, readers served", f"{cpu:.2f}", f"≤ {BOUND_CPU}", cpu <= BOUND_CPU)
    for name, what in (("own", "memory of its own"), ("rss", "memory, mapped files included")):
        half = samples[len(samples) // 2:]
        mean = statistics.mean(s[name] for s in half)
        climb = host.slope([(s["at"], s[name]) for s in half]) * (half[-1]["at"] - half[0]["at"])
        most = mean * CLIMB + CLIMB_MIB
        report.line(f"{what}, mean of the second half, MiB", f"{mean:.1f} ({mean / run.cameras:.2f} per camera)", f"≤ {BOUND_MEMORY} per camera",
                    mean / run.cameras <= BOUND_MEMORY)
        report.line("  it climbs in the second half by, MiB", f"{climb:+.2f}", f"≤ {most:.1f}", climb <= most)
    report.line("open files, at most; threads, at most", f"{max(s['files'] for s in samples)}; {max(s['threads'] for s in samples)}")


def kept(report, run, table, stopped):
    """What of all that was sent is in the store."""
    store = run.centre.store
    wrong, pictures = [], 0
    for camera in range(1, run.cameras + 1):
        seen = truth.stamps(b"")
        for file in sorted((store / host.tenant(camera, run.cameras) / f"cam{camera}").rglob("*.m4v")):
            seen.extend(truth.stamps(file.read_bytes()))
        last = stopped - int(ON_THE_WAY * 1e6)
        why = table.wrong(camera, [stamp for stamp in seen if stamp < last], end=last)
        if why or not seen:
            wrong.append(f"cam{camera}: {why or 'nothing'}")
        elif min(seen) > run.since:
            wrong.append(f"cam{camera}: begins late")
        pictures += len(seen)
    report.line("pictures sent from the first recorded to Ctrl-C; cameras with a loss", f"{pictures}; {len(wrong)}", "0", not wrong)
    for line in wrong[:10]:
        print("   ", line)
    bytes_ = sum(f.stat().st_size for f in store.rglob("*") if f.is_file())
    written, seconds = run.centre.written, (stopped - run.since) / 1e6
    report.line("store, MB; Mb/s per camera", f"{bytes_ / 1e6:.1f}; {bytes_ * 8e-6 / seconds / run.cameras:.3f}")
    report.line("written by the centre, MB; / store", f"{written / 1e6:.1f}; {written / bytes_:.3f}")

    _, cameras, _ = host.documents([run.vigie, "--json", "ls", "--store", store])
    indexed = sum(file["pictures"] for camera in cameras for file in camera["files"])
    fragments = sum(file["fragments"] for camera in cameras for file in camera["files"])
    besides = (written - bytes_) / fragments
    report.line("written besides the store, bytes a fragment", f"{besides:.0f}", f"≤ {BOUND_BESIDES}", besides <= BOUND_BESIDES)
    lost = sum(file["lost_packets"] for camera in cameras for file in camera["files"])
    gaps = [gap for camera in cameras for gap in camera["gaps"] if gap["cause"] != "operator" or gap["to"]]
    spans = [len(camera["ranges"]) for camera in cameras]
    report.line("pictures in the indexes; packets lost; gaps but the stop itself", f"{indexed}; {lost}; {len(gaps)}", f"{pictures}; 0; 0",
                (indexed, lost, len(gaps)) == (pictures, 0, 0) and spans == [1] * run.cameras)
    for gap in gaps[:10]:
        print("   ", gap)
    code, checked, said = host.documents([run.vigie, "--json", "fsck", "--store", store])
    looked_at = sum(told.get("fragments", 0) for told in checked)
    report.line("vigie fsck, exit code; fragments", f"{code}; {looked_at}", f"0; {fragments}", (code, looked_at) == (0, fragments))
    if code:
        print("   ", said[-1000:], checked[:3])


def served(report, clients, table, run):
    """What exports and readers were given."""
    by_kind = collections.defaultdict(list)
    for client in clients:
        for got in client.got:
            inside = len(table.between(got.camera, got.start, got.end)) if got.start else None
            # Who leaves in the midst may have been sent a picture that is shown after others still to come.
            end = got.end or max(got.seen, default=0) - REORDERED
            why = table.wrong(got.camera, got.seen, got.start, end, got.extra)
            if not why and got.shown is not None and got.shown != inside:
                why = f"{got.shown} pictures shown of {inside}"
            if why:
                client.say(f"{got.what} of cam{got.camera}, {got.start} to {got.end}: {why}")
        by_kind[client.kind].append(client)
    for kind, some in by_kind.items():
        wrong = [line for client in some for line in client.wrong]
        waits = sorted(wait for client in some for wait in client.waits)
        pictures = sum(len(got.seen) for client in some for got in client.got)
        steps, mb = sum(c.steps for c in some), sum(c.bytes for c in some) / 1e6
        idle = [client.number for client in some if client.steps == 0]
        report.line(f"{kind}, {len(some)} at a time: done; MB; pictures; wrong", f"{steps}; {mb:.0f}; {pictures}; {len(wrong)}", "0 wrong",
                    not wrong and not idle)
        late = sorted(value for client in some if kind == "live" for value in client.late)
        for what, times in (("an answer took", waits), ("from taken to seen", late)):
            if times:
                told = " / ".join(f"{time * 1e3:.0f}" for time in (times[len(times) // 2], times[int(len(times) * 0.99)], times[-1]))
                report.line(f"  {what}, ms, median / 99 % / longest", told)
        for line in wrong[:10]:
            print("   ", line)
    report.line("exports that ffprobe counted and ffmpeg decoded", str(run.judgements), "≥ 1", run.judgements > 0 or not by_kind["export"])


main()
