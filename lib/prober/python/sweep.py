# All ports of an address, at a rate that the operator names: one socket whatever their number. Here what all sweeps have in common.
TICK = 0.01  # so often a burst goes out
LATE = 5 * TICK  # a busy machine's loop is: no more than this is made up for, as it would go out at once
FULL_NOW = (errno.ENOBUFS, errno.EAGAIN)  # of a device: it will take more in a moment
FULL = 0.5  # of the connection tracking's table; then we wait: a machine whose table is full drops its users' connections
TRACKED = "/proc/sys/net/netfilter/nf_conntrack_"


class Sweep(Look):
    """Its tries are rounds: each asks the ports that have said nothing yet. Its kinds say how one packet goes out, and what is heard."""

    kind = "raw"
    shared = True

    def __init__(self, name, address, first, last, own_port, attempts, rate, window):
        super().__init__(name, address, 0, 0, "-", str(attempts), 0, window)
        if not 1 <= first <= last or not (own_port and attempts and rate):
            raise ValueError
        self.states = dict.fromkeys(range(first, last + 1), "silent")
        self.own_port, self.rate, self.number, self.packets, self.last, self.next = own_port, rate, 0, 0, 1, 0

    def begin(self):
        self.start = self.told_at = time.monotonic()
        if self.is_ready():
            self.round()

    def round(self):
        """The next try of each port that is silent, or the end."""
        if self.number == self.attempts or "silent" not in self.states.values():
            return self.finish_with_states()
        self.number += 1
        self.due = [port for port, state in self.states.items() if state == "silent"][::-1]
        self.next = max(self.next, time.monotonic())
        self.burst()

    def burst(self):
        """As many as are due by now."""
        now = time.monotonic()
        if now - self.told_at >= 1:
            say(self.name, "swept", self.packets)
            self.told_at = now
        if self.is_full():
            return at(now + 0.25, self.guarded, self.burst)
        self.next = max(self.next, now - LATE)
        while self.due and not self.over and self.next <= now:
            if not self.put_to(self.due[-1]):
                break  # the device has more than it can take
            self.due.pop()
            self.next += 1 / self.rate
        if self.over:
            return
        if self.due:
            at(max(now + TICK, self.next), self.guarded, self.burst)
        else:
            at(now + self.window, self.guarded, self.round)

    def put_to(self, port):
        for _ in range(8):
            try:
                self.put_one(port)
                self.packets += 1
                break
            except OSError as error:
                if error.errno in FULL_NOW:
                    return False
                # An ICMP error that came for another port is told here, too; then this one is still to be sent.
                if not self.note_errors():
                    self.states[port] = "barred" if error.errno == errno.EPERM else "error-" + name_of(error.errno)
                    break
        else:
            self.states[port] = "error-EAGAIN"  # it never left, so its silence would say nothing
        return True

    def note_errors(self):
        """-> whether there were any, of whatever port."""
        found = self.read_errors(0, self.sockets[0]) if self.sockets else []
        for port, code in found:
            self.note(port, "error-" + name_of(code))
        return bool(found)

    def note(self, port, state):
        """What a port said first, but for an answer, which goes before all else."""
        if self.states.get(port) == "silent" or (state == "open" and port in self.states):
            self.states[port] = state

    def is_full(self):
        tracked = tracked_now()
        return tracked is not None and tracked[0] > tracked[1] * FULL

    def on_event(self, number, sock, seen):
        if seen & select.EPOLLERR:
            self.note_errors()
        for _ in range(10000):
            try:
                data, sender = sock.recvfrom(128)
            except OSError:
                return
            self.take(data, sender)

    def finish_with_states(self):
        """Neighbours in one state are one line; those that are silent are counted."""
        begun = None
        for port, state in [*self.states.items(), (0, None)]:
            if begun and state != begun[1]:
                say(self.name, "ports", begun[0], last, begun[1])
                begun = None
            if state not in ("silent", None):
                begun, last = begun or (port, state), port
        say(self.name, "silent", sum(state == "silent" for state in self.states.values()))
        say(self.name, "swept", self.packets)
        self.finish()


def tracked_now():
    """-> connections that this machine tracks, and how many it could; None: nothing is tracked here, or nobody may know."""
    try:
        with open(TRACKED + "count") as count, open(TRACKED + "max") as most:
            return int(count.read()), int(most.read())
    except (OSError, ValueError):
        return None


def packet_to(port, packet, place, check, total):
    """A packet with its destination port and checksum put in. `total`: the ones' complement sum of all the rest (RFC 1071)."""
    total += port
    total = (total >> 16) + (total & 0xFFFF)
    total = ~(total + (total >> 16)) & 0xFFFF or 0xFFFF  # a sum of zero is no sum (RFC 768)
    return packet[:place] + port.to_bytes(2, "big") + packet[place + 2 : check] + total.to_bytes(2, "big") + packet[check + 2 :]
