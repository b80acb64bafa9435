"""Runs a command and prints what it took as one line of JSON: wall and CPU time in ms, peak memory in bytes, exit code."""
import json
import os
import subprocess
import sys
import time

output = open(sys.argv[1], "wb")
started = time.monotonic()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
_, status, usage = os.wait4(child.pid, 0)
print(
    json.dumps(
        {
            "wallMs": (time.monotonic() - started) * 1000,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "peakBytes": usage.ru_maxrss * 1024,
            "exitCode": os.waitstatus_to_exitcode(status),
        }
    )
)
