# The ways to sweep: SYNs and datagrams through our own firewall, and frames of either past it.
FLAGS = {"SYN": 0x02, "RST": 0x04, "SYN-ACK": 0x12}  # RFC 9293, section 3.1


def state_of(segment):
    """What a TCP segment says of the port that it comes from."""
    flags = segment[13] if len(segment) > 13 else 0
    return "open" if flags & FLAGS["SYN-ACK"] == FLAGS["SYN-ACK"] else "reset" if flags & FLAGS["RST"] else "silent"


class SynSweep(Sweep):
    """Through our own firewall, as Raw."""

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        sock.setsockopt(*HEADER_IS_OURS[self.family], 0)
        sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE: a machine with closed ports answers each SYN
        behind = BEHIND if self.family == socket.AF_INET else 0  # IPv6 comes without its header
        attach(sock, (bpf(IHL, 0) if behind else b"") + bpf(LOAD + HALF + behind, 2) + bpf(EQUAL, self.own_port, no=1) + bpf(TAKE, WHOLE) + bpf(TAKE, 0))
        return sock

    def is_ready(self):
        sock = self.resolve() and self.open(1)
        if not sock:
            return False
        self.seq = int.from_bytes(os.urandom(4), "big")
        self.packet = struct.pack("!HHIIBBHHHBBH", self.own_port, 0, self.seq, 0, 6 << 4, FLAGS["SYN"], 64240, 0, 0, 2, 4, 1460)
        ends = packed(sock.getsockname()[0].split("%")[0]) + packed(self.target[0].split("%")[0])
        pseudo = ends + struct.pack("!HH", socket.IPPROTO_TCP, len(self.packet))  # RFC 9293, section 3.1; RFC 8200, section 8.1
        self.sum = sum(struct.unpack("!%dH" % ((len(pseudo) + len(self.packet)) // 2), pseudo + self.packet))
        return True

    def put_one(self, port):
        self.sockets[0].send(packet_to(port, self.packet, 2, 16, self.sum))

    def quoted(self, packet, number, to):
        return int.from_bytes(packet[2:4], "big") if packet[:2] == self.packet[:2] else 0

    def take(self, data, sender):
        segment = data[(data[0] & 15) * 4 :] if self.family == socket.AF_INET else data
        if len(segment) >= 14 and int.from_bytes(segment[8:12], "big") == (self.seq + 1) & 0xFFFFFFFF:
            self.note(int.from_bytes(segment[:2], "big"), state_of(segment))


class DatagramSweep(Sweep):
    """Each with a single NUL, as nc's scan mode sends. The socket is connected to no port, so what comes must be asked whom it comes from."""

    broadcast = True  # that is: bound to our port, and not connected

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # a machine with closed ports may answer each datagram
        except PermissionError:
            pass  # without root fewer are heard; witnesses do not hang on it
        return sock

    def is_ready(self):
        self.sport = self.own_port
        return bool(self.resolve() and self.open(1))

    def put_one(self, port):
        self.sockets[0].sendto(b"\0", (self.target[0], port, *self.target[2:]))

    def quoted(self, packet, number, to):
        return to[1] if to and self.is_target(to) else 0

    def take(self, data, sender):
        if self.is_target(sender):
            self.note(sender[1], "open")

    def is_target(self, place):
        return packed(place[0].split("%")[0]) == packed(self.target[0].split("%")[0])


class FrameSweep(Sweep):
    """Past our own firewall, as Frame: a SYN or a datagram that is whole but for its port."""

    def __init__(self, name, device, mac, packet, first, last, attempts, rate, window):
        self.packet, self.mac, self.capture = bytes.fromhex(packet), bytes.fromhex(mac.replace(":", "")), None
        parts = taken_apart(self.packet)
        if not parts or parts[2] not in (6, 17) or len(parts[3]) < (20 if parts[2] == 6 else 8) or len(self.mac) != 6:
            raise ValueError
        source, destination, self.protocol, transport = parts
        super().__init__(name, device, first, last, int.from_bytes(transport[:2], "big"), attempts, rate, window)
        self.needs, self.version = 0, 4 if len(source) == 4 else 6
        self.head = len(self.packet) - len(transport)
        self.check = self.head + (16 if self.protocol == 6 else 6)
        # What the packet's own checksum leaves of the sum once its port is taken out (RFC 1624).
        given, port = (int.from_bytes(self.packet[place : place + 2], "big") for place in (self.check, self.head + 2))
        self.sum = (~given & 0xFFFF) + (~port & 0xFFFF)
        self.seq = int.from_bytes(transport[4:8], "big")
        self.places = [("answers", destination, source, self.protocol, transport[:2]), ("quotes", source, destination, self.protocol, transport[:2])]

    def is_ready(self):
        try:
            self.capture = capture_on(self.address)
        except OSError as error:
            return self.unprobed(error.errno, "frame")
        for place in self.places:
            self.capture.looks[place].add(self)
        return True

    def put_one(self, port):
        try:
            self.capture.send(packet_to(port, self.packet, self.head + 2, self.check, self.sum), self.version, self.mac)
        except OSError as error:
            if error.errno not in FULL_NOW:  # no firewall stands here: what fails is ours
                self.unprobed(error.errno, "frame")
            raise

    def hear(self, what, transport, sender):
        if what == "answers":
            if self.protocol == 17 or int.from_bytes(transport[8:12], "big") == (self.seq + 1) & 0xFFFFFFFF:
                self.note(int.from_bytes(transport[:2], "big"), "open" if self.protocol == 17 else state_of(transport))
            return
        port = int.from_bytes(taken_apart(transport[8:])[3][2:4], "big")
        if self.states.get(port) == "silent":
            say(self.name, "icmp", port, self.version, transport[0], transport[1], sender)
            self.note(port, "error-ICMP")

    def finish(self):
        if self.capture and not self.over:
            self.capture.forget(self)
        super().finish()
