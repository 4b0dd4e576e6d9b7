"""The simulator and the centre as processes, and what the system says of them."""
import json, os, pathlib, resource, signal, socket, subprocess, time

# What a login and a systemd unit give, unless somebody has changed it.
USUAL_FILES = 1_024
TENANTS = 4


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def tenant(camera, cameras):
    return f"commune{(camera - 1) * TENANTS // cameras + 1}"


class Simulator:
    def __init__(self, vigie, folder, cameras, kbps):
        self.table = folder / "sent.jsonl"
        port = free_port()
        # All of 127.0.0.0/8: every other camera is a host of its own to the centre, the rest are the channels of one device.
        self.process = subprocess.Popen(
            [vigie, "--json", "simulate", "--listen", f"0.0.0.0:{port}", "--cameras", str(cameras), "--kbps", str(kbps), "--table", self.table],
            stdout=subprocess.PIPE, stderr=open(folder / "simulator.log", "w"), text=True)
        self.process.stdout.readline()
        hosts = [f"127.0.{1 + n // 250}.{1 + n % 250}" if n % 2 else "127.0.0.1" for n in range(cameras)]
        self.urls = [f"rtsp://{host}:{port}/cam{n}" for n, host in enumerate(hosts, 1)]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


class Centre:
    """A centre of these cameras, on a fresh store, with no more file handles than usual at its start."""

    def __init__(self, program, folder, urls):
        self.store, self.log = folder / "store", folder / "centre.log"
        lines, last = ['listen = "127.0.0.1:0"', 'store = "store"'], None
        for number, url in enumerate(urls, 1):
            name = tenant(number, len(urls))
            if name != last:
                lines += ["[[tenant]]", f'id = "{name}"']
                last = name
            lines += ["[[tenant.camera]]", f'id = "cam{number}"', f'url = "{url}"']
        config = folder / "centre.toml"
        config.write_text("\n".join(lines) + "\n")

        def usual():
            most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(USUAL_FILES, most), most))
        self.process = subprocess.Popen([program, "run", config], stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True,
                                        preexec_fn=usual)
        for line in self.process.stdout:
            if line.startswith("Open http://"):
                address, self.token = line.split("//", 1)[1].strip().split("/#token=")
                self.host, self.port = address.split(":")[0], int(address.split(":")[1])
                break
        else:
            raise SystemExit(f"the centre did not start: {self.log.read_text()[-2000:]}")
        self.pid = self.process.pid

    def stop(self):
        """By Ctrl-C; how long it took, and its exit code."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        ended = os.WEXITED | os.WNOWAIT | os.WNOHANG
        while not os.waitid(os.P_PID, self.pid, ended):
            if time.monotonic() - start > 120:
                self.process.kill()
                self.process.wait()
                return time.monotonic() - start, "killed"
            time.sleep(0.02)
        took = time.monotonic() - start
        # Of a process that has ended and is not yet forgotten.
        io = dict(line.split(": ") for line in pathlib.Path(f"/proc/{self.pid}/io").read_text().splitlines())
        self.written = int(io["write_bytes"])
        return took, self.process.wait()

    def reading(self):
        """Seconds of CPU, MiB of its own and in all, open files and threads, now."""
        proc = pathlib.Path(f"/proc/{self.pid}")
        stat = (proc / "stat").read_text().rsplit(")", 1)[1].split()
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        mib = lambda name: int(status[name].split()[0]) / 1024
        return {
            "at": time.monotonic(), "cpu": (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"),
            "own": mib("RssAnon"), "rss": mib("VmRSS"), "files": len(os.listdir(proc / "fd")), "threads": int(status["Threads"]),
        }


def slope(points):
    """Of a line through (x, y), by least squares."""
    n = len(points)
    mx, my = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    below = sum((x - mx) ** 2 for x, _ in points)
    return sum((x - mx) * (y - my) for x, y in points) / below if below else 0.0


def documents(words):
    """What a program printed as JSON, a document a line; its exit code with it."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr
