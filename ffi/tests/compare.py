#!/usr/bin/python3
"""compare.py: what a camera costs in a C host's own epoll loop, beside the same job in GStreamer and ffmpeg, in one run.

  ffi/tests/compare.py EPOLL [--cameras 50] [--seconds 20] [--runs 1]

EPOLL is examples/c/epoll.c, built. Server, clip (4 Mb/s, 1080p) and measure are those of core/benches/live.py: CPU is the run time of
all threads between two moments with all cameras connected, memory what no other process shares. GStreamer is run once as one
process with all pipelines (`rtspsrc ! rtph264depay ! h264parse ! … ! mp4mux`), and once as a process each; ffmpeg as a
process each. All write fragmented MP4 to the same disk. Exits with 1 where Vigie lost pictures, or costs more CPU or memory than
one of the others.
"""
import argparse
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "core/benches"))
import live  # noqa: E402


def vigie(epoll):
    return lambda urls, folder: [[epoll, str(len(urls)), "100000", folder, *urls]]


def pipeline(url, folder, n):
    # Without waiting for a key picture and time stamps of its own, mp4mux ends at the first buffer that has none.
    return (f"rtspsrc location={url} protocols=tcp latency=0 ! rtph264depay wait-for-keyframe=true ! h264parse ! h264timestamper ! "
            f"mp4mux fragment-duration=2000 ! filesink location={folder}/{n}.mp4").split()


def gstreamer_one(urls, folder):
    return [["gst-launch-1.0", "-q", "-e", *(word for n, url in enumerate(urls) for word in pipeline(url, folder, n))]]


def gstreamer_each(urls, folder):
    return [["gst-launch-1.0", "-q", "-e", *pipeline(url, folder, n)] for n, url in enumerate(urls)]


def ffmpeg(urls, folder):
    return [["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-movflags",
             "frag_keyframe+empty_moov", f"{folder}/{n}.mp4"] for n, url in enumerate(urls)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("epoll")
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    ours = "vigie_session, one thread (epoll.c)"
    jobs = {ours: vigie(options.epoll), "GStreamer, one process": gstreamer_one,
            "GStreamer, a process each": gstreamer_each, "ffmpeg, a process each": ffmpeg}
    rows = {name: [] for name in jobs}
    server, urls = live.serve(options.cameras)
    try:
        # In turn, so that a machine that is busy for a while is so for all of them.
        for turn in range(options.runs):
            for name, commands in jobs.items():
                print(f"{turn + 1} of {options.runs}: {name}", file=sys.stderr, flush=True)
                folder = tempfile.mkdtemp(prefix="vigie-compare-")
                try:
                    rows[name].append(live.peer(commands)(urls, folder, options.seconds))
                except live.Failed as failure:
                    print("  ", failure, file=sys.stderr, flush=True)
                finally:
                    shutil.rmtree(folder)
                time.sleep(2)
    finally:
        server.terminate()
    print(f"{options.cameras} cameras, {options.seconds} s\n")
    print("| | CPU, ms per camera and second | memory, MiB per camera | written, Mb/s per camera |\n|---|---|---|---|")
    middle = {name: [statistics.median(values) for values in zip(*runs)] for name, runs in rows.items() if runs}
    for name in jobs:
        print(f"| {name} |", " | ".join(f"{value:.2f}" for value in middle[name]) if name in middle else "failed | | ", "|")
    if ours not in middle or middle[ours][2] < 3.5:
        print("vigie lost pictures")
        return 1
    others = [values for name, values in middle.items() if name != ours]
    beyond = [what for at, what in ((0, "CPU"), (1, "memory")) if any(values[at] < middle[ours][at] for values in others)]
    if beyond:
        print("vigie costs more than another in", " and ".join(beyond))
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())
