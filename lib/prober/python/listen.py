# A port of ours at the far end of somebody's look, for its window: who came, and with which first bytes.
GUESTS = 16  # connections to our listeners whose first bytes are awaited, all in all
PATIENCE = 0.2  # for their first bytes
MOST_ARRIVALS = 200  # of one listener, to be said

guests = set()  # connections to listeners whose first bytes are awaited


class Listener(Task):
    """One listen command: a port of ours at the far end of somebody's look."""

    def __init__(self, name, kind, address, port, window, sources):
        self.name, self.kind, self.address, self.port, self.window = name, kind, address, port, window / 1000
        self.sources = {packed(source.split("%")[0]) for source in sources.split(",")}
        self.sock, self.outlook, self.guests, self.halves, self.arrivals, self.blind = None, None, set(), set(), 0, 0

    def begin(self):
        """At once: the events at hand may be those of a closed look with our descriptor, which do no harm here."""
        global held
        if not self.resolve():
            return
        host = packed(self.target[0].split("%")[0])
        if not any(host):
            return self.unprobed(errno.EINVAL, "address")  # a wildcard
        if held >= room or len(listeners) >= room // 2:  # the rest is for looks, which may wait for us to end
            return self.unprobed(errno.EMFILE, "listen")
        self.local = host, self.port
        listeners[self.name] = self
        held += 1
        try:
            self.open()
        except OSError as error:
            return self.unprobed(error.errno, "listen")
        handlers[self.sock.fileno()] = lambda _: self.guarded(self.take)
        epoll.register(self.sock.fileno(), select.EPOLLIN)
        say(self.name, "listening")
        if self.blind:
            say(self.name, "error", 0, name_of(self.blind), "half")
        at(time.monotonic() + self.window, self.finish)

    def open(self):
        self.sock = socket.socket(self.family, socket.SOCK_STREAM if self.kind == "tcp" else socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        if self.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        attach(self.sock, from_any_of(self.sources, self.family))  # SYNs too; for TCP, newer kernels want CAP_NET_ADMIN, else EPERM
        if self.kind == "tcp":  # past what is left of old connections; for UDP it would share the port with others
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(self.target)
        if self.kind == "tcp":
            try:
                self.outlook = outlook_for(self)
            except OSError as error:  # no CAP_NET_RAW
                self.blind = error.errno
            self.sock.listen(1024)

    def take(self):
        """A datagram or a connection. -> whether there was one."""
        try:
            if self.kind == "udp":
                data, sender = self.sock.recvfrom(64)
                self.arrived(sender, data)
            elif len(guests) >= GUESTS and not self.over:
                raise BlockingIOError
            else:
                guest, sender = self.sock.accept()
                self.receive(guest, sender)
        except OSError:  # no more, or no room: the kernel keeps it for us
            if not self.over:
                epoll.modify(self.sock.fileno(), 0)
                at(time.monotonic() + 0.02, self.guarded, lambda: epoll.modify(self.sock.fileno(), select.EPOLLIN))
            return False
        return True

    def receive(self, guest, sender):
        self.look_out()  # its SYN came before it
        self.halves.discard((packed(sender[0].split("%")[0]), sender[1]))
        guest.setblocking(False)
        guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        visit = guest, sender
        guests.add(visit)
        self.guests.add(visit)
        handlers[guest.fileno()] = lambda _: self.guarded(self.read, visit)
        epoll.register(guest.fileno(), select.EPOLLIN)
        at(time.monotonic() + PATIENCE, self.guarded, self.read, visit, True)
        self.read(visit, self.over)

    def read(self, visit, last=False):
        """The first bytes of a connection, which is over with that; `last`: or what of them is there."""
        if visit not in guests:
            return
        guest, sender = visit
        try:
            data = guest.recv(64)
        except BlockingIOError:
            if not last:
                return
            data = b""
        except OSError:  # a RST
            data = b""
        guests.remove(visit)
        self.guests.remove(visit)
        epoll.unregister(guest.fileno())
        del handlers[guest.fileno()]
        guest.close()
        self.arrived(sender, data)

    def arrived(self, sender, data):
        self.note("arrived", sender[0].split("%")[0], sender[1], hexed(data))

    def look_out(self):
        if self.outlook:
            self.outlook.take()

    def knocked(self, source, port):
        if source in self.sources and len(self.halves) < MOST_ARRIVALS:
            self.halves.add((source, port))

    def note(self, *words):
        self.arrivals += 1
        if self.arrivals <= MOST_ARRIVALS:
            say(self.name, *words)

    def finish(self):
        global held
        if self.over:
            return
        if self.sock and self.sock.fileno() in handlers:  # it stood: what has come by now, counts
            self.look_out()
            self.over = True
            for visit in list(self.guests):
                self.read(visit, True)
            while self.arrivals < MOST_ARRIVALS and self.take():
                pass
            for source, port in self.halves:
                self.note("half", socket.inet_ntop(self.family, source), port)
            epoll.unregister(self.sock.fileno())
            del handlers[self.sock.fileno()]
        self.over = True
        if self.outlook:
            self.outlook.forget(self)
        if self.sock:
            self.sock.close()
        if listeners.pop(self.name, None):
            held -= 1
        say(self.name, "end")
        begin_waiting()
