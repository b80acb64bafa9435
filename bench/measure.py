"""
Runs a command and prints what it took as one line of JSON: wall and CPU time in ms, peak memory in bytes, exit code.

Arguments: a file for its output; what the line begins with that stops the clock, empty for the end of the command; the command.
"""
import json
import os
import subprocess
import sys
import time

path, mark = sys.argv[1], sys.argv[2].encode()
started = time.monotonic()
stopped = None
said = None
with open(path, "wb") as output:
    child = subprocess.Popen(
        sys.argv[3:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE if mark else output, stderr=output
    )
    for line in child.stdout or ():
        if stopped is None and line.startswith(mark):
            stopped = time.monotonic()
            said = line[len(mark) :].decode().strip()
        output.write(line)
        output.flush()
    _, status, usage = os.wait4(child.pid, 0)
ended = time.monotonic()
exit_code = os.waitstatus_to_exitcode(status)
if mark and stopped is None and exit_code == 0:
    sys.exit("The command ended without the line that stops the clock.")
print(
    json.dumps(
        {
            "wallMs": ((stopped or ended) - started) * 1000,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "peakBytes": usage.ru_maxrss * 1024,
            "exitCode": exit_code,
            "said": said,
        }
    )
)
