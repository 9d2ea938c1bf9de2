# One look: tries at their times, each by a socket that is connected and watched, and what their errors say.
RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}  # linux/in.h, in6.h
FIRST_BYTES = 2048  # of an answer: enough for any first message that a protocol module reads
# What our own machine lacks, as against what a firewall does.
LOCAL = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRINUSE, errno.EAGAIN, errno.ENOBUFS}


class Look(Task):
    """A command under way. Its kinds say what goes out and what counts as an answer."""

    watched = select.EPOLLIN
    shared = False  # one socket for all tries
    broadcast = answered = False
    ident = 0  # of our echo requests

    def __init__(self, name, address, port, sport, payload, attempts, interval, window):
        self.name, self.address, self.port, self.sport = name, address, port, sport
        self.payload = bytes.fromhex("" if payload == "-" else payload)
        self.attempts, self.insist = int(attempts.lstrip("+")), attempts.startswith("+")
        self.interval, self.window = interval / 1000, window / 1000
        self.needs = 1 if self.shared else self.attempts  # descriptors
        self.sockets = {}  # try -> socket; 0 -> the shared one
        self.began, self.told, self.failed = {}, set(), set()

    def begin(self):
        self.start = time.monotonic()
        if self.resolve():
            self.attempt(1)

    def attempt(self, number):
        if self.answered:
            return
        self.last, self.began[number] = number, time.monotonic()
        self.go_out(number)
        if self.over:
            return
        if number < self.attempts:
            at(self.start + number * self.interval, self.guarded, self.attempt, number + 1)
        else:
            at(self.began[number] + self.window, self.finish)

    def go_out(self, number):
        sock = self.sockets.get(0) or self.open(number)
        if sock:
            self.sent(number, self.ident if self.shared else sock.getsockname()[1])
            self.on_event(number, sock, select.EPOLLERR)  # an error that waits here would be taken for one of this send
            self.over or self.send(number, sock)

    def open(self, number):
        """A socket that is bound, connected and watched; None if that failed, which has then been said."""
        step = "socket"
        try:
            sock = self.socket()
            sock.setblocking(False)
            sock.setsockopt(*RECVERR[self.family], 1)
            step = "bind"
            if self.sport or self.broadcast:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(("", self.sport))
            step = "connect"
            if not self.broadcast:  # whose answers have another sender
                sock.connect(self.target)
        except OSError as error:
            if step == "connect" and self.was_broadcast(error, sock):
                sock.close()
                return self.open(number)
            if step == "bind" or self.shared and isinstance(error, PermissionError) and step == "socket":
                return self.unprobed(error.errno, step)
            if error.errno != errno.EINPROGRESS:
                return self.fail(number, error.errno, step)
        number = 0 if self.shared else number
        self.sockets[number] = sock
        handlers[sock.fileno()] = lambda seen: self.guarded(self.on_event, number or self.last, sock, seen)
        epoll.register(sock.fileno(), self.watched)
        return sock

    def was_broadcast(self, error, sock):
        return False

    def sent(self, number, port):
        self.told.add(number)
        say(self.name, "sent", number, port or "-", self.ms(self.start, self.began[number]))

    def ms(self, since, until=None):
        return "%.3f" % (((until or time.monotonic()) - since) * 1000)

    def send(self, number, sock):
        try:
            self.put(number, sock)
        except OSError as error:
            self.fail(number, error.errno, "send")

    def put(self, number, sock):
        sock.send(self.payload)

    def on_event(self, number, sock, seen):
        if seen & select.EPOLLERR:
            for number, code in self.read_errors(number, sock):
                self.fail(number, code, self.error_step())
        else:
            self.read(number, sock)

    def error_step(self):
        return "read"

    def data(self, number, data, sender):
        say(self.name, "data", number, hexed(data[:FIRST_BYTES]), self.ms(self.start), sender)
        self.finish()

    def quoted(self, packet, number, to):
        """The try that an ICMP error is about; 0: somebody else's. `to`: where the packet that it quotes was sent."""
        return number

    def read_errors(self, number, sock):
        """Says what the error queue holds of ICMP; -> [(try, errno)], with a RST and errors of local origin."""
        found = []
        while True:
            try:
                packet, notes, _, to = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                return found or ([(number, code)] if code else [])
            for level, kind, note in notes:
                about = self.quoted(packet, number, to)
                if (level, kind) != RECVERR[self.family] or not about:
                    continue
                code, origin, icmp_type, icmp_code = struct.unpack("=IBBB", note[:7])  # struct sock_extended_err
                if (origin, icmp_type) in ((2, 5), (3, 137)):
                    continue  # a redirect: our packet went on; ping sockets hear of it
                if origin in (2, 3):  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6: the sender's sockaddr follows
                    version, family, sender = (4, socket.AF_INET, note[20:24]) if origin == 2 else (6, socket.AF_INET6, note[24:40])
                    say(self.name, "icmp", about, version, icmp_type, icmp_code, socket.inet_ntop(family, sender))
                found.append((about, code))

    def fail(self, number, code, step):
        if self.over:
            return
        if code in LOCAL or code == errno.EADDRNOTAVAIL and step == "connect" and self.has_source():
            return self.unprobed(code, step)
        if number not in self.told:
            self.sent(number, 0)
        say(self.name, "error", number, name_of(code), step)
        if self.kind == "tcp":
            self.drop(number)
        self.failed.add(number)
        if not self.insist or self.answered or len(self.failed) == self.attempts:
            self.finish()

    def has_source(self):
        """EADDRNOTAVAIL means no address of that family, or no free source port: a UDP connect, which sends nothing, tells."""
        with socket.socket(self.family, socket.SOCK_DGRAM) as sock:
            return sock.connect_ex(self.target) == 0

    def drop(self, number):
        sock = self.sockets.pop(number, None)
        if sock:
            epoll.unregister(sock.fileno())
            del handlers[sock.fileno()]
            sock.close()

    def finish(self):
        global held
        if not self.over:
            self.over = True
            for number in list(self.sockets):
                self.drop(number)
            say(self.name, "end")
            held -= self.needs
            begin_waiting()


# Classic BPF (linux/filter.h): what the kernel is to ask of a packet before it gives it to a socket.
