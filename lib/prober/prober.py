# The prober for hosts with python3 (3.8 and newer, the minimal package is enough): it opens sockets as it is told and
# says what came of it. It knows sockets, not protocols, writes no file, and ends when its stdin does.
#
# How it gets there: an SSH exec channel runs
#     exec python3 -c 'import os;n=N;b=b"";
#     while len(b)<n: b+=os.read(0,n-len(b))
#     exec(compile(b,"prober","exec"))'
# which takes exactly this file's N bytes from stdin; what follows on stdin are commands, one a line:
#     <id> facts | <id> conntrack <address>[,<address>...] | <id> quit
#     <id> tcp  <address> <port> <source port|0> <hex|-> [+]<attempts> <interval ms> <window ms>
#     <id> udp  <address> <port> <source port|0> <hex|-> [+]<attempts> <interval ms> <window ms>
#     <id> icmp <address> <hex|-> [+]<attempts> <interval ms> <window ms>
#     <id> listen <tcp|udp> <address> <port> <window ms> <source>[,<source>...]    (here alone, not in prober.sh)
#     <id> hush <id of a listen>    (ends it before its window does; no matter if it is over)
# Tries count from 1; the k-th begins k-1 intervals after the first; a command is over one window after its last try
# began, or with the first answer or error. `+` means that errors may pass: all tries are made, only an answer ends them.
# A listener binds exactly that address, no wildcard, for the window; what is not from one of the sources meets silence.
# Events on stdout, one a line, `-` for what is not known:
#     <id> sent <try> <source port> <ms>          <id> connected <try> <ms>         <id> closed <try>
#     <id> data <try> <hex> <ms> <sender>         <id> error <try> <errno> <connect|send|socket|read>
#     <id> icmp <try> <4|6> <type> <code> <sender>                (why the error that follows came about)
#     <id> unprobed <errno> <operation>           (could not look; says nothing about the network)
#     <id> listening                              <id> arrived <source> <source port> <first bytes, 64 at most|->
#     <id> half <source> <source port>            (its SYN is here, the handshake not over; each once, may yet arrive)
#     <id> fact <name> <hex>    <id> row <hex>    <id> malformed <hex>    <id> end        (exactly one, always the last)
# `sent` says that a try began, an error may still follow; milliseconds are since the command began, those of `connected`
# since its try began. A malformed line whose id cannot be read has `-` in its place and no end. Of a listener that stands,
# `error 0 <errno> half` says that halves cannot be seen on this host. Its arrivals and halves are 200 at most, then silence.
import array, collections, errno, heapq, os, select, socket, struct, subprocess, time

FIRST_BYTES = 2048  # of an answer: enough for any first message that a protocol module reads
OWN_DESCRIPTORS = 32  # kept free for stdio, epoll, netlink and the pipes of `ip`
GUESTS = 16  # connections to our listeners whose first bytes are awaited, all in all; of OWN_DESCRIPTORS
PATIENCE = 0.2  # for these first bytes
HALVES_EVERY = 0.25  # a half-open connection stands for a second or two
MOST_ARRIVALS = 200  # of one listener, to be said
LONGEST_WINDOW = 3600000  # of a listener, in ms
LONGEST_LINE = 1 << 17  # a 64 KiB datagram in hex; a longer line is noise and must not fill the memory
PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:.,%+_@- ")  # as prober.sh, lest they differ
RECVERR = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}  # linux/in.h, in6.h
ECHO = {socket.AF_INET: (socket.IPPROTO_ICMP, 8, 0), socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128, 129)}  # request, reply
PROC_NET = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}
RST = struct.pack("ii", 1, 0)  # SO_LINGER: closed so, nothing of a connection is left, no TIME-WAIT
# What our own machine lacks, as against what a firewall does.
LOCAL = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EADDRINUSE, errno.EAGAIN, errno.ENOBUFS}

epoll = select.epoll()
handlers = {}  # descriptor -> what to do with its events
timers = []  # heap of (when, serial, what)
serial = 0
waiting = collections.deque()  # looks that wait for descriptors
held = 0  # descriptors promised to looks under way, and one for each listener
listeners = {}  # id of the command -> listener that stands
guests = set()  # connections to listeners whose first bytes are awaited
half_open = {}  # family -> (when it was read, local -> remotes of this machine's half-open connections)
halves_due = 0  # when they are next to be read
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


def name_of(code):
    return errno.errorcode.get(code, "E%d" % code)


def hexed(data):
    return data.hex() or "-"


class Task:
    """What looks and listeners have in common: a name, an address, an end."""

    over = False

    def guarded(self, what, *args):
        """Whatever goes wrong in here is our failure to look; it must not end the prober or pass for a block."""
        try:
            self.over or what(*args)
        except Exception as error:
            self.unprobed(getattr(error, "errno", None) or 0, type(error).__name__)

    def unprobed(self, code, step):
        if not self.over:
            say(self.name, "unprobed", name_of(code), step)
            self.finish()

    def resolve(self):
        """Family and socket address; False if there are none, which has then been said."""
        try:
            kind = socket.SOCK_STREAM if self.kind == "tcp" else socket.SOCK_DGRAM
            found = socket.getaddrinfo(self.address.encode(), self.port, type=kind, flags=socket.AI_NUMERICHOST)
        except OSError:  # malformed, or an interface that is not here
            return self.unprobed(errno.EINVAL, "address")
        self.family, self.target = found[0][0], found[0][4]
        return True


class Look(Task):
    """One tcp, udp or icmp command under way."""

    def __init__(self, name, kind, address, port, sport, payload, attempts, interval, window):
        self.name, self.kind, self.address, self.port, self.sport = name, kind, address, port, sport
        self.payload = bytes.fromhex("" if payload == "-" else payload)
        self.attempts, self.insist = int(attempts.lstrip("+")), attempts.startswith("+")
        self.interval, self.window = interval / 1000, window / 1000
        self.needs = 1 if kind == "icmp" or kind == "tcp" and sport else self.attempts  # descriptors
        self.sockets = {}  # try -> socket; for ICMP 0 -> the one for all tries
        self.began, self.told, self.failed = {}, set(), set()
        self.answered = self.broadcast = False

    def begin(self):
        self.start = time.monotonic()
        if self.resolve():
            self.attempt(1)

    def attempt(self, number):
        if self.answered:
            return
        self.last, self.began[number] = number, time.monotonic()
        if self.kind == "tcp" and self.sport:
            self.drop(number - 1)  # one source port, one connection
        sock = self.sockets.get(0) or self.open(number)
        if sock:
            self.sent(number, self.ident if self.kind == "icmp" else sock.getsockname()[1])
        if sock and self.kind != "tcp":
            self.on_event(number, sock, select.EPOLLERR)  # an error that waits here would be taken for one of this send
            self.over or self.send(number, sock)
        if self.over:
            return
        if number < self.attempts:
            at(self.start + number * self.interval, self.guarded, self.attempt, number + 1)
        else:
            at(self.began[number] + self.window, self.finish)

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
            if step == "connect" and self.kind == "udp" and error.errno == errno.EACCES and self.is_broadcast(sock):
                self.broadcast = True
                sock.close()
                return self.open(number)
            if step == "bind" or self.kind == "icmp" and isinstance(error, PermissionError) and step == "socket":
                return self.unprobed(error.errno, step)
            if error.errno != errno.EINPROGRESS:
                return self.fail(number, error.errno, step)
        if self.kind == "icmp" and not self.raw:
            self.ident = sock.getsockname()[1]  # the kernel's choice
        number = 0 if self.kind == "icmp" else number
        self.sockets[number] = sock
        handlers[sock.fileno()] = lambda seen: self.guarded(self.on_event, number or self.last, sock, seen)
        epoll.register(sock.fileno(), select.EPOLLOUT if self.kind == "tcp" else select.EPOLLIN)
        return sock

    def socket(self):
        if self.kind == "udp":
            sock = socket.socket(self.family, socket.SOCK_DGRAM)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, self.broadcast)
        elif self.kind == "tcp":
            sock = socket.socket(self.family, socket.SOCK_STREAM)
            if self.sport:  # closed by RST: a TIME-WAIT of ours would bar the next look from this port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        else:
            self.raw, self.ident = False, 0
            try:
                sock = socket.socket(self.family, socket.SOCK_DGRAM, ECHO[self.family][0])  # net.ipv4.ping_group_range permitting
            except PermissionError:
                sock = socket.socket(self.family, socket.SOCK_RAW, ECHO[self.family][0])
                self.raw, self.ident = True, 1 + int.from_bytes(os.urandom(2), "big") % 65535
        return sock

    def is_broadcast(self, sock):
        """EACCES means a prohibit route, or a broadcast address: then SO_BROADCAST helps."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return sock.connect_ex(self.target) == 0

    def sent(self, number, port):
        self.told.add(number)
        say(self.name, "sent", number, port or "-", self.ms(self.start, self.began[number]))

    def ms(self, since, until=None):
        return "%.3f" % (((until or time.monotonic()) - since) * 1000)

    def send(self, number, sock):
        packet = self.echo(number) if self.kind == "icmp" else self.payload
        try:
            sock.sendto(packet, self.target) if self.broadcast else sock.send(packet)
        except OSError as error:
            self.fail(number, error.errno, "send")

    def on_event(self, number, sock, seen):
        if seen & select.EPOLLERR:
            step = "connect" if self.kind == "tcp" and not self.answered else "read"
            for number, code in self.read_errors(number, sock):
                self.fail(number, code, step)
        elif self.kind == "tcp":
            self.on_stream(number, sock)
        else:
            data, sender = sock.recvfrom(1 << 16)
            if self.kind == "icmp":
                if self.raw and self.family == socket.AF_INET:
                    data = data[(data[0] & 15) * 4 :]
                number, data = self.try_of(data, ECHO[self.family][2]), data[8:]
            if number and (self.kind == "udp" or data == self.payload):
                say(self.name, "data", number, hexed(data[:FIRST_BYTES]), self.ms(self.start), sender[0])
                self.finish()

    def on_stream(self, number, sock):
        if not self.answered:
            self.answered, self.unsent = True, self.payload
            say(self.name, "connected", number, self.ms(self.began[number]))
            if not self.payload:
                return self.finish()
            for other in set(self.sockets) - {number}:
                self.drop(other)
            at(self.began[self.last] + self.window, self.finish)
        step = "send"
        try:
            if self.unsent:
                self.unsent = self.unsent[sock.send(self.unsent) :]
                epoll.modify(sock.fileno(), select.EPOLLIN | (select.EPOLLOUT if self.unsent else 0))
            step = "read"
            data = sock.recv(FIRST_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            return self.fail(number, error.errno, step)
        say(*(self.name, "data", number, hexed(data), self.ms(self.start), self.target[0]) if data else (self.name, "closed", number))
        self.finish()

    def echo(self, number):
        packet = struct.pack("!BBHHH", ECHO[self.family][1], 0, 0, self.ident, number) + self.payload
        if self.family == socket.AF_INET6:
            return packet  # the kernel sums up
        total = sum(struct.unpack("!%dH" % ((len(packet) + 1) // 2), packet + b"\0" * (len(packet) % 2)))
        total = (total >> 16) + (total & 0xFFFF)
        return packet[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF) + packet[4:]

    def try_of(self, echo, wanted):
        """The try that an echo message belongs to; 0: it is none of ours. Raw sockets see those of others."""
        kind, _, _, ident, number = struct.unpack("!BBHHH", echo[:8].ljust(8, b"\0"))
        return number if kind == wanted and ident == self.ident and number in self.began else 0

    def read_errors(self, number, sock):
        """Says what the error queue holds of ICMP; -> [(try, errno)], with a RST and errors of local origin."""
        found = []
        while True:
            try:
                packet, notes, _, _ = sock.recvmsg(512, 512, socket.MSG_ERRQUEUE)
            except OSError:
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                return found or ([(number, code)] if code else [])
            for level, kind, note in notes:
                about = self.try_of(packet, ECHO[self.family][1]) if self.kind == "icmp" else number
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


def begin_waiting():
    global held
    while waiting and (held == len(listeners) or held + waiting[0].needs <= room):
        look = waiting.popleft()
        held += look.needs
        # By way of a timer: were a socket opened while events of closed ones are still at hand, it could get theirs.
        at(0, look.guarded, look.begin)


class Listener(Task):
    """One listen command: a port of ours at the far end of somebody's look."""

    def __init__(self, name, kind, address, port, window, sources):
        self.name, self.kind, self.address, self.port, self.window = name, kind, address, port, window / 1000
        self.sources = {packed(source.split("%")[0]) for source in sources.split(",")}
        self.sock, self.guests, self.halves, self.arrivals, self.blind = None, set(), set(), 0, 0

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
        if self.kind == "tcp":
            look_for_halves()

    def open(self):
        self.sock = socket.socket(self.family, socket.SOCK_STREAM if self.kind == "tcp" else socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        if self.family == socket.AF_INET6:
            self.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        code = array.array("B", self.filter())  # for TCP, newer kernels want CAP_NET_ADMIN, else EPERM
        self.sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", len(code) // 8, code.buffer_info()[0]))  # SO_ATTACH_FILTER
        if self.kind == "tcp":  # past what is left of old connections; for UDP it would share the port with others
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(self.target)
        if self.kind == "tcp":
            self.find_halves(lambda remote: None)  # those of the listener before us stay for a second
            self.sock.listen(1024)

    def filter(self):
        """Classic BPF (linux/filter.h) that the kernel asks of every packet to us, SYNs too: is its source one of ours?"""
        code, offset, length = b"", *((12, 4) if self.family == socket.AF_INET else (8, 16))  # of the source address in the IP header
        for source in self.sources:
            if len(source) != length:
                continue
            words = struct.unpack("!%dI" % (length // 4), source)
            for at_word, word in enumerate(words):
                code += struct.pack("=HBBI", 0x20, 0, 0, 0xFFF00000 + offset + 4 * at_word)  # LD W ABS, from SKF_NET_OFF
                code += struct.pack("=HBBI", 0x15, 0, 2 * (len(words) - at_word) - 1, word)  # JEQ, else on to the next source
            code += struct.pack("=HBBI", 0x06, 0, 0, 0xFFFFFFFF)  # RET: all of the packet
        return code + struct.pack("=HBBI", 0x06, 0, 0, 0)  # RET: nothing of it

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

    def find_halves(self, tell):
        try:
            found = read_halves(self.family)
        except OSError as error:
            self.blind = error.errno
            return
        for remote in found.get(self.local, ()):
            if remote not in self.halves and self.arrivals < MOST_ARRIVALS:
                self.halves.add(remote)
                tell(remote)

    def tell_half(self, remote):
        self.note("half", socket.inet_ntop(self.family, remote[0]), remote[1])

    def note(self, *words):
        self.arrivals += 1
        if self.arrivals <= MOST_ARRIVALS:
            say(self.name, *words)

    def finish(self):
        global held
        if self.over:
            return
        if self.sock and self.sock.fileno() in handlers:  # it stood: what has come by now, counts
            if self.kind == "tcp":
                self.find_halves(self.tell_half)
            self.over = True
            for visit in list(self.guests):
                self.read(visit, True)
            while self.arrivals < MOST_ARRIVALS and self.take():
                pass
            epoll.unregister(self.sock.fileno())
            del handlers[self.sock.fileno()]
        self.over = True
        if self.sock:
            self.sock.close()
        if listeners.pop(self.name, None):
            held -= 1
        say(self.name, "end")
        begin_waiting()


def look_for_halves():
    """Goes on while a TCP listener stands: one timer for all."""
    global halves_due
    standing = [listener for listener in listeners.values() if listener.kind == "tcp"]
    if standing and halves_due <= time.monotonic():
        for listener in standing:
            listener.guarded(listener.find_halves, listener.tell_half)
        halves_due = time.monotonic() + HALVES_EVERY
        at(halves_due, look_for_halves)


def read_halves(family):
    """Connections in SYN_RECV: a SYN got here, our SYN-ACK not back, or the ACK not here. Read once for many listeners."""
    when, found = half_open.get(family, (0, None))
    if found is None or time.monotonic() - when > 0.02:
        with open(PROC_NET[family]) as file:
            rows = [line.split(None, 4)[1:4] for line in file]
        found = collections.defaultdict(set)
        for local, remote, state in rows:
            if state == "03":
                found[unhexed(local)].add(unhexed(remote))
        half_open[family] = time.monotonic(), found
    return found


def unhexed(place):
    """Address and port as /proc/net/tcp has them, in words of the machine's byte order -> packed address, port."""
    address, port = place.split(":")
    return b"".join(struct.pack("=I", int(address[n : n + 8], 16)) for n in range(0, len(address), 8)), int(port, 16)


# What is asked of the shell; the second way where the first does not work, as on busybox.
FACTS = {
    "kernel": "uname -a",
    "addresses": "ip -o addr",
    "routes4": "ip -4 route show table all || ip -4 route",
    "routes6": "ip -6 route show table all || ip -6 route",
    "neighbours": "ip neigh",
    "resolvers": "cat /run/systemd/resolve/resolv.conf || cat /etc/resolv.conf",
    "forwarding": "cd /proc/sys/net; echo ipv4 $(cat ipv4/ip_forward); [ ! -e ipv6 ] || echo ipv6 $(cat ipv6/conf/all/forwarding)",
    "dhcp-server": "sed -n 's/^SERVER_ADDRESS=//p; s/.*dhcp-server-identifier \\(.*\\);/\\1/p' /run/systemd/netif/leases/* /var/lib/dhcp/*.leases | sort -u",
}


def facts(name):
    """Waits for the shell, some milliseconds: to be asked before anything that must keep time."""
    path = {"PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"}
    for what, script in FACTS.items():
        try:
            done = subprocess.run(["sh", "-c", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5, env=path)
        except (OSError, subprocess.SubprocessError) as error:
            say(name, "error", 0, name_of(getattr(error, "errno", None) or errno.ETIMEDOUT), what)
            continue
        if done.returncode == 127:
            say(name, "error", 0, "ENOENT", what)
        elif done.stdout or what != "dhcp-server":
            say(name, "fact", what, hexed(done.stdout))
    try:
        table()
        state = "readable"
    except OSError as error:
        state = "denied" if isinstance(error, PermissionError) else "absent"
    say(name, "fact", "conntrack", hexed(state.encode()))


def conntrack(name, addresses):
    wanted = {packed(address) for address in addresses.split(",")}
    try:
        for line in table():
            source = next((word[4:] for word in line.split() if word.startswith("src=")), None)
            if source and packed(source) in wanted:
                say(name, "row", hexed(line.encode()))
    except OSError as error:
        say(name, "unprobed", name_of(error.errno), "conntrack")


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def table():
    """The connection tracking table, as lines of /proc/net/nf_conntrack."""
    try:
        with open("/proc/net/nf_conntrack") as file:
            return file.read().splitlines()
    except FileNotFoundError:  # Debian's and Ubuntu's kernels have the netlink way alone
        return dump(socket.AF_INET) + dump(socket.AF_INET6)


def dump(family):
    """By ctnetlink: linux/netlink.h and linux/netfilter/nfnetlink_conntrack.h have the numbers."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:  # NETLINK_NETFILTER
        sock.settimeout(5)
        # IPCTNL_MSG_CT_GET of NFNL_SUBSYS_CTNETLINK with NLM_F_REQUEST | NLM_F_DUMP, then nfgenmsg
        sock.send(struct.pack("=IHHIIBBH", 20, 0x101, 0x301, 1, 0, family, 0, 0))
        while True:
            data = sock.recv(1 << 17)
            while data:
                length, kind = struct.unpack("=IH", data[:6])
                if kind == 3:  # NLMSG_DONE
                    return found
                if kind == 2:  # NLMSG_ERROR
                    code = -struct.unpack("=i", data[16:20])[0]
                    raise OSError(errno.EACCES if code == errno.EPERM else errno.ENOENT, "ctnetlink")
                found.append(row(family == socket.AF_INET, attributes(data[20:length])))
                data = data[(length + 3) & ~3 :]


def attributes(data):
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack("=HH", data[:4])
        found[kind & 0x3FFF] = data[4:length]  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
        data = data[(length + 3) & ~3 :]
    return found


def row(v4, entry):
    """Attributes CTA_* -> the line that /proc/net/nf_conntrack would have, for a reader of fields."""
    words = ["ipv4 2" if v4 else "ipv6 10"]
    seen_reply = entry.get(3, b"\0")[-1] & 2  # CTA_STATUS, IPS_SEEN_REPLY
    for direction in (1, 2):  # CTA_TUPLE_ORIG, CTA_TUPLE_REPLY
        parts = attributes(entry[direction])
        addresses, proto = attributes(parts[1]), attributes(parts[2])  # CTA_TUPLE_IP, CTA_TUPLE_PROTO
        if direction == 1:
            number = proto[1][0]  # CTA_PROTO_NUM
            words += [{1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6", 132: "sctp"}.get(number, "unknown"), str(number)]
            words.append(str(int.from_bytes(entry.get(7, b""), "big")))  # CTA_TIMEOUT
            if number == 6:  # CTA_PROTOINFO, CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE
                state = attributes(attributes(entry.get(4, b"")).get(1, b"")).get(1, b"\0")[0]
                words.append("NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2".split()[state])
        for label, kind in (("src", 1 if v4 else 3), ("dst", 2 if v4 else 4)):
            words.append("%s=%s" % (label, socket.inet_ntop(socket.AF_INET if v4 else socket.AF_INET6, addresses[kind])))
        for label, *kinds in (("sport", 2), ("dport", 3), ("type", 5, 8), ("code", 6, 9), ("id", 4, 7)):
            words += ["%s=%d" % (label, int.from_bytes(proto[kind], "big")) for kind in kinds if kind in proto]
        if direction == 1 and not seen_reply:
            words.append("[UNREPLIED]")
    return " ".join(words + ["[ASSURED]"] * (entry.get(3, b"\0")[-1] >> 2 & 1))  # IPS_ASSURED


def number(word, most):
    if not word.isdigit() or int(word) > most:
        raise ValueError
    return int(word)


def command(line):
    """One line of the operator's. Raises ValueError or OSError on a malformed one."""
    name, verb, *args = line.split(" ")
    if not set(line) <= PLAIN:
        raise ValueError
    if verb in ("tcp", "udp"):
        address, port, sport, payload, attempts, interval, window = args
    elif verb == "icmp":
        address, payload, attempts, interval, window = args
        port = sport = "0"
    elif verb == "listen":
        kind, address, port, window, sources = args
        if not address or kind not in ("tcp", "udp") or number(port, 65535) < 1 or name in listeners:
            raise ValueError
        listener = Listener(name, kind, address, int(port), number(window, LONGEST_WINDOW), sources)
        return listener.guarded(listener.begin)
    elif verb == "hush":
        (listener,) = args
        if listener in listeners:
            listeners[listener].finish()
        say(name, "end")
        return
    elif (verb, len(args)) in (("facts", 0), ("conntrack", 1), ("quit", 0)):
        {"facts": facts, "conntrack": conntrack, "quit": lambda name: None}[verb](name, *args)
        say(name, "end")
        if verb == "quit":
            os.set_blocking(1, True)
            flush()
            os._exit(0)
        return
    else:
        raise ValueError
    if not address or number(attempts[attempts.startswith("+") :], 1000) < 1:
        raise ValueError
    waiting.append(Look(name, verb, address, number(port, 65535), number(sport, 65535), payload, attempts, number(interval, 60000), number(window, 60000)))
    begin_waiting()


def on_stdin(_):
    global pending
    try:
        data = os.read(0, 1 << 16)
    except BlockingIOError:
        return
    if not data:
        os._exit(0)  # the operator is gone: sockets and all end with us
    *lines, pending = (pending + data).split(b"\n")
    if len(pending) > LONGEST_LINE:
        lines, pending = lines + [pending], b""
    for line in lines:
        try:
            command(line.decode("ascii"))
        except (ValueError, OSError):
            name = line.split(b" ")[0]
            known = name.isalnum() and len(name) <= 64
            say(name.decode() if known else "-", "malformed", hexed(line[:100]))
            if known:
                say(name.decode(), "end")


def on_stdout(seen):
    if seen & (select.EPOLLERR | select.EPOLLHUP):
        os._exit(0)


try:
    import resource  # not in Debian's python3-minimal: a `ulimit -n` before the bootstrap helps there

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
except (ImportError, ValueError, OSError):
    pass
room = max(1, os.sysconf("SC_OPEN_MAX") - OWN_DESCRIPTORS)
pending = b""
os.set_blocking(1, False)
handlers[0], handlers[1] = on_stdin, on_stdout
epoll.register(0, select.EPOLLIN)
epoll.register(1, 0)
output.extend(b"\nFLOWPROOF-1 python uid=%d \n" % os.getuid())


def handle_events(wait):
    for fd, seen in epoll.poll(wait, len(handlers)):  # all at once: no window may end over an answer that is here
        if fd in handlers:
            handlers[fd](seen)


while True:
    flush()
    handle_events(max(0, timers[0][0] - time.monotonic()) if timers else -1)
    now = time.monotonic()
    handle_events(0)
    while timers and timers[0][0] <= now:
        heapq.heappop(timers)[2]()
