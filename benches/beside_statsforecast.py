#!/usr/bin/env python3
"""Our forecast beside statsforecast's MSTL and AutoTheta, on the same series, in one run. By hand only.

usage: python3 benches/beside_statsforecast.py [--profile NAME]

Runs `cargo bench --bench engine`, which writes the hourly means of its fifteen days, and lets all three forecast the
week after them with the band that holds four fifths. Installs statsforecast into a virtual environment under target/.
Times are those of one fit and its 168 hours, of one series on one core, without start-up and compilation.
"""
import os, pathlib, re, statistics, subprocess, sys, time, venv

ROOT = pathlib.Path(__file__).resolve().parent.parent
HOME = ROOT / 'target' / 'statsforecast'
SERIES = HOME / 'series.txt'
VERSION = 'statsforecast==2.1.1'
OURS = 'one fit and a week of hourly quantiles'
AHEAD = 168
RUNS = 5


def main():
    python = HOME / 'bin' / 'python'
    if pathlib.Path(sys.prefix) != HOME:
        if not python.exists():
            venv.create(HOME, with_pip=True)
            subprocess.run([python, '-m', 'pip', 'install', '--quiet', VERSION], check=True)
        env = dict(os.environ, OMP_NUM_THREADS='1', NIXTLA_NUMBA_CACHE='1')
        sys.exit(subprocess.run([python, __file__, *sys.argv[1:]], env=env).returncode)
    compare()


def compare():
    bench = ['cargo', 'bench', *sys.argv[1:], '--bench', 'engine', '--', '--series', str(SERIES)]
    out = subprocess.run(bench, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(out)
    found = re.search(re.escape(OURS) + r'\s+([\d.]+) us', out)
    if found is None:
        sys.exit(f'the bench printed no line "{OURS}"')
    ours = float(found.group(1))
    hours = [float(line) for line in SERIES.read_text().split()]
    print(f'{len(hours)} hours, {AHEAD} ahead, 80 % band; median of {RUNS} runs; {VERSION}')
    print(f'{"ours":<12} {ours:>12.0f} us')
    for name, model in models():
        took = timed(model, hours)
        print(f'{name:<12} {took:>12.0f} us   x{took / ours:.0f} of ours')


def models():
    from statsforecast.models import MSTL, AutoTheta
    return [('MSTL', lambda: MSTL(season_length=[24, 168])), ('AutoTheta', lambda: AutoTheta(season_length=24))]


def timed(model, hours):
    """Microseconds; the first run compiles and is not counted."""
    import numpy
    values = numpy.array(hours)
    times = []
    for run in range(RUNS + 1):
        began = time.perf_counter()
        model().forecast(y=values, h=AHEAD, level=[80])
        if 0 < run:
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


if __name__ == '__main__':
    main()
