"""How much of the machine others used while something was measured."""
import os
import resource
import time


def _seconds_used():
    """Seconds of all cores together: by anybody (the hypervisor's other guests too), and by us."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _idle, _iowait, irq, softirq, stolen = map(
            int, file.readline().split()[1:9])
    anybody = (user + nice + system + irq + softirq + stolen) / os.sysconf("SC_CLK_TCK")
    ours = sum(sum(resource.getrusage(who)[:2])
               for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return anybody, ours


class Contention:
    """From its making on: `others_s` seconds that others ran, of `cores_s` that the cores had.

    Keep sums of both, and divide at the end: the kernel counts in hundredths of a second.
    """

    def __init__(self):
        self.start = time.perf_counter(), *_seconds_used()

    def so_far(self):
        wall, anybody, ours = (now - then for now, then in zip(
            (time.perf_counter(), *_seconds_used()), self.start))
        return {"others_s": anybody - ours, "cores_s": wall * os.cpu_count()}
