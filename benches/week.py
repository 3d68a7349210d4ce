"""Memory of the daemon over a simulated week: `python3 benches/week.py [TARGETS ...]` (50 and, as the baseline, 10).

The release binary twice: `sim` as fast as its client lets it, and `run` against it over HTTP. Every target is called in
every hour. Linux only: what is resident comes from /proc.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).parent.parent
BINARY = pathlib.Path(os.environ.get("BOA_BINARY", ROOT / "target/release/bedrock-ops-alert"))
MODELS = {
    "anthropic.claude-sonnet-4-6": "Anthropic Claude Sonnet 4.6",
    "anthropic.claude-sonnet-4-5-20250929-v1:0": "Anthropic Claude Sonnet 4.5 V1",
    "anthropic.claude-haiku-4-5-20251001-v1:0": "Anthropic Claude Haiku 4.5",
    "anthropic.claude-opus-4-7": "Anthropic Claude Opus 4.7",
    "amazon.nova-pro-v1:0": "Amazon Nova Pro",
}
REGIONS = ["us-east-1", "us-west-2"]


def world(targets: int) -> tuple[str, str]:
    accounts = [f"{number:012}" for number in range(111122223333, 111122223333 + -(-targets // 10))]
    lines = ['start = "2026-11-02T00:00:00Z"', 'length = "8d"', 'history = "15d"']
    config = ["[cost]", 'free_share = "1 %"']
    for number, account in enumerate(accounts):
        lines += ["[[account]]", f'id = "{account}"', f"regions = {json.dumps(REGIONS)}", 'topics = ["t"]']
        config += ["[[account]]", f'id = "{account}"', f"regions = {json.dumps(REGIONS)}"]
        if number:
            config += [f'role_arn = "arn:aws:iam::{account}:role/bedrock-ops-alert"']
    for model, label in MODELS.items():
        burndown = 5 if model.startswith("anthropic") else 1
        lines += ["[[model]]", f'id = "{model}"', f'label = "{label}"', f"burndown = {burndown}"]
        lines += ["[[profile]]", f'id = "us.{model}"', f'model = "{model}"', f"destinations = {json.dumps(REGIONS)}"]
    for number in range(targets):
        account = accounts[number // 10]
        region = REGIONS[number % 2]
        model = list(MODELS)[number // 2 % 5]
        lines += ["[[target]]", f'account = "{account}"', f'region = "{region}"', f'id = "us.{model}"']
        lines += [f'trace = "{TRACES[number % len(TRACES)]}"', f"shift = {json.dumps(f'{number % 24}h')}"]
        lines += [f"requests_per_minute = {20 + number % 7 * 10}"]
    return "\n".join(lines) + "\n", "\n".join(config) + "\n"


def traces() -> list[str]:
    text = (ROOT / "tests/data/worlds/fortnight.toml").read_text()
    return sorted({line.split('"')[1] for line in text.splitlines() if line.startswith("trace = ")})


TRACES = traces()


def resident(pid: int) -> tuple[float, float]:
    fields = dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return tuple(int(fields[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))


def simulated(folder: pathlib.Path) -> tuple[subprocess.Popen, str]:
    """The simulated AWS over the world of this folder, and its address."""
    sim = subprocess.Popen(
        [BINARY, "sim", "--port", "0", "--world", folder / "world.toml", "--speed", "max"],
        stdout=subprocess.PIPE,
        text=True,
    )
    return sim, sim.stdout.readline().split()[-1]


def environment(url: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "PATH": "/usr/bin",
        # As in the unit and in the image.
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "131072",
        "MALLOC_TRIM_THRESHOLD_": "131072",
        "TOKIO_WORKER_THREADS": "4",
    }


def week(targets: int) -> dict[str, float]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="boa-week-"))
    text, config = world(targets)
    (folder / "world.toml").write_text(text)
    (folder / "config.toml").write_text(config)
    sim, url = simulated(folder)
    log = (folder / "log").open("w")
    run = subprocess.Popen(
        [BINARY, "run", "--config", folder / "config.toml", "--store", folder / "store"]
        + ["--listen", "127.0.0.1:0", "--sim-clock", url],
        env=environment(url),
        stdout=log,
        stderr=log,
    )
    samples, first, began = [], None, time.monotonic()
    try:
        while True:
            time.sleep(1)
            if run.poll() is not None:
                sys.exit(f"run ended: see {folder}/log")
            clock = json.load(urllib.request.urlopen(f"{url}/_sim/clock"))["now"]
            first = first or clock
            days = (when(clock) - when(first)) / 86_400
            samples.append(resident(run.pid)[0])
            if 7 <= days:
                break
        peak = resident(run.pid)[1]
    finally:
        stopped = time.monotonic()
        run.terminate()
        run.wait()
        stopping = time.monotonic() - stopped
        sim.kill()
    shutil.rmtree(folder)
    half = samples[len(samples) // 2 :]
    return {
        "targets": targets,
        "resident": sum(half) / len(half),
        "peak": peak,
        "seconds": stopped - began,
        "stop": stopping,
    }


def when(text: str) -> float:
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def main() -> None:
    sizes = [int(it) for it in sys.argv[1:]] or [10, 50]
    print(f"{'targets':>8} {'resident MiB':>14} {'peak MiB':>14} {'real s':>8} {'stop s':>7}")
    baseline = None
    for size in sizes:
        row = week(size)
        baseline = baseline or row
        times = {key: row[key] / baseline[key] for key in ("resident", "peak")}
        print(
            f"{size:>8} {row['resident']:>7.1f} (x{times['resident']:.1f}) {row['peak']:>7.1f} (x{times['peak']:.1f})"
            f" {row['seconds']:>8.0f} {row['stop']:>7.2f}"
        )


if __name__ == "__main__":
    main()
