"""Runs a command and kills it, with all it started, once standard input ends: when the test that holds the other end
is over, has panicked or was killed.
usage: python until_parent_ends.py COMMAND [ARGUMENT ...]"""
import os
import signal
import subprocess
import sys
import threading

child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)


def watch():
    while sys.stdin.buffer.read(1):
        pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


threading.Thread(target=watch, daemon=True).start()
sys.exit(child.wait() and 1)
