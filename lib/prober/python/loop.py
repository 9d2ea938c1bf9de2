# The prober for hosts with python3 (3.8 and newer, the minimal package is enough). The parts of this folder are one program, put
# together in the order of program.ts. What it is told and what it says stands in ../README.md. First, its one loop: descriptors,
# timers and lines out; nothing in it ever blocks.
import array, collections, errno, heapq, os, select, socket, struct, subprocess, time

epoll = select.epoll()
handlers = {}  # descriptor -> what to do with its events
timers = []  # heap of (when, serial, what)
serial = 0
output = bytearray()


def say(*words):
    output.extend((" ".join(map(str, words)) + "\n").encode())


def flush():
    """Never blocks: while a slow reader holds us up, the probes keep their time."""
    try:
        while output:
            del output[: os.write(1, output[: 1 << 16])]
        epoll.modify(1, 0)
    except BlockingIOError:
        epoll.modify(1, select.EPOLLOUT)
    except OSError:
        os._exit(0)  # nobody reads any more


def at(when, what, *args):
    global serial
    serial += 1
    heapq.heappush(timers, (when, serial, lambda: what(*args)))


def handle_events(wait):
    for fd, seen in epoll.poll(wait, len(handlers)):  # all at once: no window may end over an answer that is here
        if fd in handlers:
            handlers[fd](seen)


def run():
    while True:
        flush()
        handle_events(max(0, timers[0][0] - time.monotonic()) if timers else -1)
        now = time.monotonic()
        handle_events(0)
        while timers and timers[0][0] <= now:
            heapq.heappop(timers)[2]()


def name_of(code):
    return errno.errorcode.get(code, "E%d" % code)


def hexed(data):
    return data.hex() or "-"


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
