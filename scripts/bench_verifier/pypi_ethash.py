"""Measures the PyPI package ethash (chfast's C++) on thread CPU time.

usage: pypi_ethash.py EPOCH; prints one JSON object of microseconds of CPU per operation and waits
for a line on standard input before each round, so that rounds of several programs interleave.
"""

import json
import sys
import time

import ethash

epoch = int(sys.argv[1])
header = bytes(32)
start = time.thread_time()
ethash.hash(epoch, header, 0)
built = (time.thread_time() - start) * 1e6
print(json.dumps({"what": "cache", "micros": built}), flush=True)
nonce = 0
for _ in sys.stdin:
    until = time.monotonic() + 0.3
    start, done = time.thread_time(), 0
    while time.monotonic() < until:
        ethash.hash(epoch, header, nonce)
        nonce += 1
        done += 1
    micros = (time.thread_time() - start) * 1e6 / done
    print(json.dumps({"what": "light", "micros": micros}), flush=True)
    print(json.dumps({"what": "done"}), flush=True)
