#!/usr/bin/python3
"""What recording many cameras at once costs: vigie, what any recorder must do, retina, ffmpeg and GStreamer, in turn, from
one server, to disk.

  core/benches/live.py [--cameras 32] [--seconds 30] [--runs 1] [--only NAME]… [--gate]

The cameras are GStreamer's RTSP server (core/tests/tools/rtsp_server.py) with the clip h264_1080p of inputs.sh, 4 Mb/s, one
mount each, over TCP on the loopback interface. CPU is the run time of all threads of the recorder's processes
(/proc/PID/task/*/schedstat) between two moments with all cameras connected; memory is what no other process shares
(smaps_rollup), per camera. The floor (core/benches/src/floor.rs) only reads and writes, by the calls that vigie uses, and
retina (src/retina.rs) writes pictures without MP4 or index; both sync, as vigie does and ffmpeg and GStreamer do not. --gate
fails where vigie as its programs run it is beyond its bound. Needs the system's Python with gi, GStreamer, ffmpeg.
"""
import argparse, glob, json, os, pathlib, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
INPUTS = pathlib.Path(os.environ.get("VIGIE_BENCH_INPUTS", TARGET / "bench-inputs"))
VIGIE = os.environ.get("VIGIE_LIVE", str(TARGET / "release/vigie-live"))
WARM_UP = 10
BOUND_CPU, BOUND_MEMORY = 0.9, 1.5


def serve(cameras):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clip = INPUTS / "h264_1080p.264"
    mounts = [f"c{n}={clip}" for n in range(cameras)]
    server = subprocess.Popen(["/usr/bin/python3", ROOT / "core/tests/tools/rtsp_server.py", "--tcp-only", "--port", str(port), *mounts],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for _ in range(cameras):
        if not server.stdout.readline().startswith("READY"):
            sys.exit("the server did not start")
    return server, [f"rtsp://127.0.0.1:{port}/c{n}" for n in range(cameras)]


class Failed(Exception):
    """A recorder did not do what is measured."""


def ours(*how, delay=0):
    """A recorder that measures itself."""
    def run(urls, folder, seconds):
        done = subprocess.run([VIGIE, *how, "--read-delay", str(delay), "--warm-up", str(WARM_UP), "--seconds", str(seconds), folder, *urls],
                              stdout=subprocess.PIPE, text=True)
        if not done.stdout:
            raise Failed("vigie-live said nothing")
        said = json.loads(done.stdout)
        if done.returncode or said["mbit"] < 3.5 or how != ("--floor",) and said["fps"] < 24.5:
            raise Failed(f"pictures were lost: {done.stdout.strip()}")
        return said["cpu_ms"], said["private_mib"], said["mbit"]
    return run


def peer(commands):
    """Runs other recorders, and measures them from outside."""
    def run(urls, folder, seconds):
        words = open(pathlib.Path(folder) / "words", "w+")
        processes = [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=words, stdin=subprocess.DEVNULL)
                     for c in commands(urls, folder)]
        try:
            time.sleep(WARM_UP)
            size, cpu, start = written(folder), run_time(processes), time.monotonic()
            time.sleep(seconds)
            streams = (time.monotonic() - start) * len(urls)
            ended = [p for p in processes if p.poll() is not None]
            if ended:
                words.seek(0)
                raise Failed(f"{len(ended)} of {len(processes)} {ended[0].args[0]} ended by themselves: {words.read()[-300:].strip()}")
            cpu, size = run_time(processes) - cpu, written(folder) - size
            memory = sum(private(p.pid) for p in processes)
            return cpu * 1e3 / streams, memory / len(urls), size * 8e-6 / streams
        finally:
            for p in processes:
                p.send_signal(signal.SIGINT)
            for p in processes:
                try:
                    p.wait(10)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
    return run


def run_time(processes):
    tasks = [t for p in processes for t in glob.glob(f"/proc/{p.pid}/task/*/schedstat")]
    return sum(int(pathlib.Path(t).read_text().split()[0]) for t in tasks) * 1e-9


def private(pid):
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty:")) / 1024


def written(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*") if f.is_file())


def ffmpeg(urls, folder):
    return [["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "segment", "-segment_time", "10",
             "-segment_format_options", "movflags=frag_keyframe+empty_moov", f"{folder}/{n}-%d.mp4"] for n, url in enumerate(urls)]


def gstreamer(urls, folder):
    lines = [f"rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay ! h264parse ! "
             f"splitmuxsink max-size-time=10000000000 location={folder}/{n}-%d.mp4" for n, url in enumerate(urls)]
    return [["gst-launch-1.0", "-q", "-e", *" ".join(lines).split()]]


RECORDERS = {
    "vigie, as `vigie record` runs it (`read_delay` 200 ms)": ours(delay=200),
    "vigie, `read_delay` 50 ms": ours(delay=50),
    "vigie, each packet as it comes": ours(),
    "floor: reads every 200 ms and writes, nothing else": ours("--floor", delay=200),
    "retina, no MP4": ours("--retina"),
    "ffmpeg, a process each": peer(ffmpeg),
    "GStreamer, one process": peer(gstreamer),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--only", action="append")
    parser.add_argument("--gate", action="store_true")
    options = parser.parse_args()
    chosen = {name: run for name, run in RECORDERS.items()
              if not options.only or any(word in name for word in options.only)}
    load = " ".join(pathlib.Path("/proc/loadavg").read_text().split()[:3])
    rows = {name: [] for name in chosen}
    server, urls = serve(options.cameras)
    try:
        # In turn, so that a machine that is busy for a while is so for all of them.
        for turn in range(options.runs):
            for name, run in chosen.items():
                print(f"{turn + 1} of {options.runs}: {name}", file=sys.stderr, flush=True)
                folder = tempfile.mkdtemp(prefix="vigie-live-", dir=TARGET)
                try:
                    rows[name].append(run(urls, folder, options.seconds))
                    print("  ", *(f"{value:.2f}" for value in rows[name][-1]), file=sys.stderr, flush=True)
                except Failed as failure:
                    print("  ", failure, file=sys.stderr, flush=True)
                finally:
                    shutil.rmtree(folder)
                time.sleep(2)
    finally:
        server.terminate()
        server.wait()
    print(f"`load average before: {load}`, {options.cameras} cameras, {options.seconds} s, {options.runs} runs in turn, "
          "median (lowest to highest)\n")
    print("| recorder | CPU, ms per second of video and stream | private MiB per camera | Mb/s kept per camera |\n|---|---|---|---|")
    beyond = []
    for name, measured in rows.items():
        if not measured:
            print(f"| {name} | failed in all runs | | |")
            beyond.append(name)
            continue
        costs = [cost for cost, _, _ in measured]
        cpu, memory, rate = (statistics.median(column) for column in zip(*measured))
        bounded = name.startswith("vigie, as")
        bounds = (f", ≤ {BOUND_CPU}", f", ≤ {BOUND_MEMORY}") if bounded else ("", "")
        print(f"| {name} | {cpu:.2f} ({min(costs):.2f} to {max(costs):.2f}){bounds[0]} | {memory:.2f}{bounds[1]} | {rate:.2f} |", flush=True)
        if bounded and (cpu > BOUND_CPU or memory > BOUND_MEMORY):
            beyond.append(name)
    if options.gate and beyond:
        sys.exit("beyond its bound: " + ", ".join(beyond))


if __name__ == "__main__":
    main()
