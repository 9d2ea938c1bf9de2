# All TCP ports of an address, by SYNs of our own: one socket whatever their number, at a rate that the operator names.
TICK = 0.01  # so often a burst goes out
FULL = 0.5  # of the connection tracking's table; then we wait: a machine whose table is full drops its users' connections
FLAGS = {"SYN": 0x02, "RST": 0x04, "SYN-ACK": 0x12}  # RFC 9293, section 3.1
TRACKED = "/proc/sys/net/netfilter/nf_conntrack_"


class Sweep(Look):
    """Through our own firewall, as Raw. Its tries are rounds: each asks the ports that have said nothing yet."""

    kind = "raw"
    shared = True

    def __init__(self, name, address, first, last, own_port, attempts, rate, window):
        super().__init__(name, address, 0, 0, "-", str(attempts), 0, window)
        if not 1 <= first <= last or not (own_port and attempts and rate):
            raise ValueError
        self.states = dict.fromkeys(range(first, last + 1), "silent")
        self.own_port, self.rate, self.number, self.packets, self.last = own_port, rate, 0, 0, 1
        self.seq = int.from_bytes(os.urandom(4), "big")

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        sock.setsockopt(*HEADER_IS_OURS[self.family], 0)
        sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE: a machine with closed ports answers each SYN
        behind = BEHIND if self.family == socket.AF_INET else 0  # IPv6 comes without its header
        attach(sock, (bpf(IHL, 0) if behind else b"") + bpf(LOAD + HALF + behind, 2) + bpf(EQUAL, self.own_port, no=1) + bpf(TAKE, WHOLE) + bpf(TAKE, 0))
        return sock

    def begin(self):
        self.start = self.told_at = time.monotonic()
        sock = self.resolve() and self.open(1)
        if sock:
            self.packet = struct.pack("!HHIIBBHHHBBH", self.own_port, 0, self.seq, 0, 6 << 4, FLAGS["SYN"], 64240, 0, 0, 2, 4, 1460)
            ends = packed(sock.getsockname()[0].split("%")[0]) + packed(self.target[0].split("%")[0])
            pseudo = ends + struct.pack("!HH", socket.IPPROTO_TCP, len(self.packet))  # RFC 9293, section 3.1; RFC 8200, section 8.1
            self.sum = sum(struct.unpack("!%dH" % ((len(pseudo) + len(self.packet)) // 2), pseudo + self.packet))
            self.round()

    def round(self):
        """The next try of each port that is silent, or the end."""
        if self.number == self.attempts or "silent" not in self.states.values():
            return self.finish_with_states()
        self.number += 1
        self.due = [port for port, state in self.states.items() if state == "silent"][::-1]
        self.burst(time.monotonic(), 0)

    def burst(self, since, sent):
        """As many as are due by now."""
        now = time.monotonic()
        if now - self.told_at >= 1:
            say(self.name, "swept", self.packets)
            self.told_at = now
        if self.is_full():
            return at(now + 0.25, self.guarded, self.burst, now + 0.25, 0)
        while self.due and sent < (now - since) * self.rate + 1:
            if not self.put_to(self.due[-1]):
                break  # the device has more than it can take
            self.due.pop()
            sent += 1
        if self.due:
            at(now + TICK, self.guarded, self.burst, *((since, sent) if now - since < 1 else (now, 0)))
        else:
            at(now + self.window, self.guarded, self.round)

    def put_to(self, port):
        total = self.sum + port
        total = (total >> 16) + (total & 0xFFFF)
        packet = self.packet[:2] + struct.pack("!H", port) + self.packet[4:16] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + self.packet[18:]
        for _ in range(8):
            try:
                self.sockets[0].send(packet)
                self.packets += 1
                break
            except OSError as error:
                if error.errno in (errno.ENOBUFS, errno.EAGAIN):
                    return False
                # An ICMP error that came for another port is told here, too; then this one is still to be sent.
                if not self.read_errors(port, self.sockets[0]):
                    self.states[port] = "barred" if error.errno == errno.EPERM else "error-" + name_of(error.errno)
                    break
        else:
            self.states[port] = "error-EAGAIN"  # it never left, so its silence would say nothing
        return True

    def is_full(self):
        try:
            with open(TRACKED + "count") as count, open(TRACKED + "max") as most:
                return int(count.read()) > int(most.read()) * FULL
        except OSError:
            return False  # nothing is tracked here

    def quoted(self, packet, number):
        """The port that an ICMP error is about."""
        return int.from_bytes(packet[2:4], "big") if packet[:2] == self.packet[:2] else 0

    def on_event(self, number, sock, seen):
        if seen & select.EPOLLERR:
            for port, code in self.read_errors(0, sock):
                if self.states.get(port) == "silent":
                    self.states[port] = "error-" + name_of(code)
        for _ in range(10000):
            try:
                data, _ = sock.recvfrom(128)
            except OSError:
                return
            self.hear(data[(data[0] & 15) * 4 :] if self.family == socket.AF_INET else data)

    def hear(self, segment):
        port, _, _, ack, _, flags = struct.unpack("!HHIIBB", segment[:14].ljust(14, b"\0"))
        if port in self.states and ack == (self.seq + 1) & 0xFFFFFFFF and self.states[port] != "open":
            if flags & FLAGS["SYN-ACK"] == FLAGS["SYN-ACK"]:
                self.states[port] = "open"
            elif flags & FLAGS["RST"]:
                self.states[port] = "reset"

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
