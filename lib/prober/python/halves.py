# Half-open connections to our listeners: a SYN got here, and the handshake does not get its end. A raw socket is given a copy of each packet that
# has passed the INPUT chain, before TCP is (raw_local_deliver, net/ipv4/ip_input.c). The kernel's table of connections would tell as well, but to
# read it again and again takes milliseconds each time where its hash is large.
OPENING = 0x17, 0x02  # of the flags FIN, SYN, RST and ACK, SYN alone (RFC 9293, section 3.1)
PACKET_INFO = 49  # IPV6_RECVPKTINFO: IPv6 comes without its header, and so without its destination

outlooks = {}  # family -> outlook, while a TCP listener of it stands


class Outlook:
    """The SYNs that come to our listeners of one family, from their sources."""

    def __init__(self, family):
        self.family, self.sources, self.doors = family, set(), {}  # local address and port -> listener
        self.sock = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        try:
            self.sock.setblocking(False)
            self.sock.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE: all sources may begin at once
            if family == socket.AF_INET6:
                self.sock.setsockopt(socket.IPPROTO_IPV6, PACKET_INFO, 1)
        except OSError:
            self.sock.close()
            raise
        outlooks[family] = self
        handlers[self.sock.fileno()] = lambda _: self.take()
        epoll.register(self.sock.fileno(), select.EPOLLIN)

    def admit(self, listener):
        """What came before it is none of its own."""
        if not listener.sources <= self.sources:
            attach(self.sock, self.filter(self.sources | listener.sources))
            self.sources |= listener.sources
        self.take()
        self.doors[listener.local] = listener

    def filter(self, sources):
        """Of all TCP that this machine gets, only what begins a connection from one of our sources wakes us."""
        behind = BEHIND if self.family == socket.AF_INET else 0
        head = bpf(IHL, 0) if behind else b""
        return head + bpf(LOAD + BYTE + behind, 13) + bpf(AND, OPENING[0]) + bpf(EQUAL, OPENING[1], yes=1) + bpf(TAKE, 0) + from_any_of(sources, self.family)

    def take(self):
        """All that is there."""
        for _ in range(10000):
            try:
                data, notes, _, sender = self.sock.recvmsg(128, 64)
            except OSError:
                return
            if self.family == socket.AF_INET:
                source, destination, _, segment = taken_apart(data)
            else:
                source, destination, segment = packed(sender[0].split("%")[0]), notes[0][2][:16], data  # struct in6_pktinfo
            own_port, port = struct.unpack("!HH", segment[:4])
            listener = self.doors.get((destination, port))
            if listener:
                listener.knocked(source, own_port)

    def forget(self, listener):
        if self.doors.get(listener.local) is listener:
            del self.doors[listener.local]
        if not self.doors:
            del outlooks[self.family], handlers[self.sock.fileno()]
            epoll.unregister(self.sock.fileno())
            self.sock.close()


def outlook_for(listener):
    outlook = outlooks.get(listener.family) or Outlook(listener.family)
    try:
        outlook.admit(listener)
    except OSError:
        outlook.forget(listener)  # without its filter it is none
        raise
    return outlook
