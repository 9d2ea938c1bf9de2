# A frame, past our own firewall both ways. It has no socket of its own: all frames of a device share a capture.
CAPTURES = 8  # devices on which frame looks stand at once
BUFFER = 1 << 22  # of a capture, in bytes: a thousand frames out and their answers in, all at once
ICMP_ERRORS = {1: (3, 4, 11, 12), 58: (1, 2, 3, 4)}

captures = {}  # device -> capture that stands


class Frame(Look):
    kind = "frame"

    def __init__(self, name, device, mac, packet, attempts, interval, window):
        super().__init__(name, device, 0, 0, packet, attempts, interval, window)
        self.needs, self.capture, self.mac = 0, None, bytes.fromhex(mac.replace(":", ""))
        parts = taken_apart(self.payload)
        mark = parts and mark_of(*parts[2:])
        if mark is None or len(self.mac) != 6:
            raise ValueError
        source, destination, protocol, _ = parts
        self.version = 4 if len(source) == 4 else 6
        self.places = [("quoted", source, destination, protocol, mark)]
        wanted = answer_to(protocol, mark)
        if wanted is not None:
            self.places.append(("answer", destination, source, protocol, wanted))

    def begin(self):
        self.start = time.monotonic()
        try:
            self.capture = capture_on(self.address)
        except OSError as error:
            return self.unprobed(error.errno, "frame")
        for place in self.places:
            self.capture.looks[place].add(self)
        self.attempt(1)

    def go_out(self, number):
        self.sent(number, 0)
        try:
            self.capture.send(self.payload, self.version, self.mac)
        except OSError as error:  # no firewall stands here: what fails is ours
            self.unprobed(error.errno, "frame")

    def hear(self, what, transport, sender):
        if what == "answer":
            return self.data(self.last, transport, sender)
        say(self.name, "icmp", self.last, self.version, transport[0], transport[1], sender)
        self.failed.add(self.last)
        if not self.insist or len(self.failed) == self.attempts:
            self.finish()

    def finish(self):
        if self.capture and not self.over:
            self.capture.forget(self)
        super().finish()


class Capture:
    """What arrives on one device, while frame looks stand there; and their way out."""

    def __init__(self, device):
        self.device, self.looks = device, collections.defaultdict(set)  # what a packet must look like -> whose it is
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)  # the kernel puts the link header before, if there is one
        try:
            self.sock.setblocking(False)
            for option in (32, 33):  # SO_SNDBUFFORCE, SO_RCVBUFFORCE
                self.sock.setsockopt(socket.SOL_SOCKET, option, BUFFER)
            attach(self.sock, self.filter())
            self.sock.bind((device, 3))  # ETH_P_ALL
        except OSError:
            self.sock.close()
            raise
        self.ethernet = self.sock.getsockname()[3] == 1  # ARPHRD_ETHER
        captures[device] = self
        handlers[self.sock.fileno()] = lambda _: self.take()
        epoll.register(self.sock.fileno(), select.EPOLLIN)

    def filter(self):
        """IP that arrives, without TCP segments longer than two headers: those carry data, of connections that we have not."""
        return (
            bpf(LOAD, AUXILIARY + 4) + bpf(EQUAL, 4, yes=12)  # SKF_AD_PKTTYPE, PACKET_OUTGOING
            + bpf(LOAD, AUXILIARY) + bpf(EQUAL, 0x86DD, yes=5) + bpf(EQUAL, 0x0800, no=9)  # SKF_AD_PROTOCOL
            + bpf(LOAD + BYTE, 9) + bpf(EQUAL, 6, no=6)
            + bpf(LOAD + HALF, 2) + bpf(GREATER, 120, yes=5, no=4)
            + bpf(LOAD + BYTE, 6) + bpf(EQUAL, 6, no=2)
            + bpf(LOAD + HALF, 4) + bpf(GREATER, 60, yes=1)
            + bpf(TAKE, FIRST_BYTES + 120) + bpf(TAKE, 0)
        )

    def send(self, packet, version, mac):
        kind = 0x0800 if version == 4 else 0x86DD
        self.sock.sendto(packet, (self.device, kind, 0, 0, mac if self.ethernet else bytes(6)))

    def take(self):
        """All that is there: no window may end over an answer that is here."""
        for _ in range(10000):
            try:
                packet, place = self.sock.recvfrom(FIRST_BYTES + 120)
            except BlockingIOError:
                return
            except OSError as error:  # the device went down: what follows would be silence
                for look in {look for looks in self.looks.values() for look in looks}:
                    look.unprobed(error.errno, "frame")
                return
            if place[2] != 4:  # PACKET_OUTGOING
                self.read(packet)

    def read(self, packet):
        parts = taken_apart(packet)
        if not parts:
            return
        source, destination, protocol, transport = parts
        # A sweep is told by its own port alone: "answers" and "quotes" are those of all the ports that it asks.
        places = [("answer", source, destination, protocol, mark_of(protocol, transport)), ("answers", source, destination, protocol, transport[2:4])]
        if transport[:1] and transport[0] in ICMP_ERRORS.get(protocol, ()):
            quoted = taken_apart(transport[8:])
            if quoted:
                places += [("quoted", *quoted[:3], mark_of(*quoted[2:])), ("quotes", *quoted[:3], quoted[3][:2])]
        for place in places:
            for look in list(self.looks.get(place, ())):
                sender = socket.inet_ntop(socket.AF_INET if len(source) == 4 else socket.AF_INET6, source)
                look.guarded(look.hear, place[0], transport, sender)

    def forget(self, look):
        for place in look.places:
            self.looks[place].discard(look)
            if not self.looks[place]:
                del self.looks[place]
        if not self.looks:
            del captures[self.device], handlers[self.sock.fileno()]
            epoll.unregister(self.sock.fileno())
            self.sock.close()


def capture_on(device):
    if device not in captures and len(captures) >= CAPTURES:
        raise OSError(errno.EMFILE, "captures")
    return captures.get(device) or Capture(device)
