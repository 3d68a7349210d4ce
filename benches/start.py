"""From start to ready with 90 days on disk: `python3 benches/start.py [TARGETS]` (100).

The release binary watches a simulated organisation until its past is read back (the baseline: what AWS still has, 15 days
of minutes). Then the same store with 75 days more, copies of those, is loaded from a dump, and `run` is started on each in
turn. Ready is what `/readyz` says; the page answers before that. Linux only.
"""

import hashlib
import json
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from week import BINARY, environment, resident, simulated, when, world

STARTS = 5
DAY = 1_440
DAYS = 90


def start(folder: pathlib.Path, store: str, url: str) -> tuple[subprocess.Popen, str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    log = (folder / f"{store}.log").open("a")
    run = subprocess.Popen(
        [BINARY, "run", "--config", folder / "config.toml", "--store", folder / store]
        + ["--listen", address, "--sim-clock", url],
        env=environment(url),
        stdout=log,
        stderr=log,
    )
    return run, f"http://{address}"


def answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def stop(run: subprocess.Popen) -> None:
    run.terminate()
    if run.wait(30) != 0:
        sys.exit(f"run ended with {run.returncode}")


def watch(folder: pathlib.Path, url: str) -> None:
    """Until nothing is left to be read back, and some hours are watched."""
    run, page = start(folder, "short", url)
    began = json.load(urllib.request.urlopen(f"{url}/_sim/clock"))["now"]
    while run.poll() is None:
        time.sleep(1)
        now = json.load(urllib.request.urlopen(f"{url}/_sim/clock"))["now"]
        if 6 * 3_600 <= when(now) - when(began):
            return stop(run)
    sys.exit(f"run ended: see {folder}/short.log")


def lengthened(folder: pathlib.Path) -> None:
    """The same store with days of minutes before those that were read."""
    dump = subprocess.Popen([BINARY, "store", "dump", folder / "short"], stdout=subprocess.PIPE, text=True)
    load = subprocess.Popen([BINARY, "store", "load", folder / "long"], stdin=subprocess.PIPE, text=True)
    days: dict[str, list[dict]] = {}
    records, digest = 0, hashlib.sha256()

    def hand_over(line: str) -> None:
        load.stdin.write(line)
        digest.update(line.encode())

    for line in dump.stdout:
        if line.startswith('{"end"'):
            records = json.loads(line)["end"]["records"]
            break
        hand_over(line)
        if line.startswith('{"stretch"'):
            stretch = json.loads(line)["stretch"]
            if stretch["resolution"] == "minute":
                days.setdefault(json.dumps(stretch["pool"]), []).append(stretch)
    count = 0
    for pool in days.values():
        first = min(it["from"] for it in pool)
        last = max(it["from"] for it in pool)
        by_day = {it["from"]: it for it in pool}
        span = last - first + DAY
        for start_of_day in range(last - (DAYS - 1) * DAY, first, DAY):
            source = by_day.get(first + (start_of_day - first) % span)
            if source is None:
                continue
            hand_over(json.dumps({"stretch": {**source, "from": start_of_day}}) + "\n")
            count += 1
    end = {"end": {"records": records + count, "sha256": digest.hexdigest()}}
    load.stdin.write(json.dumps(end) + "\n")
    load.stdin.close()
    if load.wait() != 0 or dump.wait() != 0:
        sys.exit("the dump could not be loaded")
    shutil.copy(folder / "short/history/learned", folder / "long/history/learned")
    print(f"{sum(map(len, days.values()))} days of {len(days)} pools, and {count} more")


def measure(folder: pathlib.Path, store: str, url: str) -> dict[str, float]:
    listening, ready, peak = [], [], []
    for _ in range(STARTS):
        began = time.monotonic()
        run, page = start(folder, store, url)
        while not answers(f"{page}/healthz"):
            time.sleep(0.005)
        listening.append(time.monotonic() - began)
        while not answers(f"{page}/readyz"):
            time.sleep(0.005)
        ready.append(time.monotonic() - began)
        peak.append(resident(run.pid)[1])
        time.sleep(3)
        stop(run)
    return {"listening": statistics.median(listening), "ready": statistics.median(ready), "peak": max(peak)}


def main() -> None:
    targets = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    folder = pathlib.Path(tempfile.mkdtemp(prefix="boa-start-"))
    text, config = world(targets)
    (folder / "world.toml").write_text(text)
    (folder / "config.toml").write_text(config)
    sim, url = simulated(folder)
    try:
        watch(folder, url)
        lengthened(folder)
        print(f"{'store':>6} {'size MiB':>9} {'page s':>14} {'ready s':>14} {'peak MiB':>9}   median of {STARTS} starts")
        baseline = None
        for store in ("short", "long"):
            row = measure(folder, store, url)
            baseline = baseline or row
            size = sum(it.stat().st_size for it in (folder / store).rglob("*") if it.is_file()) / 2**20
            shown = [f"{row[key]:>6.2f} (x{row[key] / baseline[key]:.2f})" for key in ("listening", "ready")]
            print(f"{store:>6} {size:>9.1f} {shown[0]:>14} {shown[1]:>14} {row['peak']:>9.1f}")
    finally:
        sim.kill()
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
