# A packet of any IP protocol, by way of our own firewall: what the kernel's own transports would not say of that.
HEADER_IS_OURS = {socket.AF_INET: (socket.IPPROTO_IP, 3), socket.AF_INET6: (socket.IPPROTO_IPV6, 36)}  # IP_HDRINCL


class Raw(Look):
    kind = "raw"
    shared = True

    def __init__(self, name, address, protocol, payload, attempts, interval, window):
        super().__init__(name, address, 0, 0, payload, attempts, interval, window)
        self.protocol, self.mark = protocol, mark_of(protocol, self.payload)
        if self.mark is None or not protocol:
            raise ValueError
        self.wanted = answer_to(protocol, self.mark)

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_RAW, self.protocol)
        sock.setsockopt(*HEADER_IS_OURS[self.family], 0)  # as it would be for number 255
        attach(sock, self.filter())
        return sock

    def filter(self):
        """Connected, we get what comes from the target alone; but of its TCP that would be every segment to anybody here."""
        if self.wanted is None:
            return bpf(TAKE, 0)
        behind = BEHIND if self.family == socket.AF_INET else 0  # IPv6 comes without its header
        if self.protocol in PORTED:
            asked = [(LOAD + behind, 0, self.wanted)]
        elif self.protocol in ECHOES:
            asked = [(LOAD + BYTE + behind, 0, self.wanted[:1]), (LOAD + HALF + behind, 4, self.wanted[1:])]
        else:
            asked = []
        code = bpf(IHL, 0) if behind else b""
        for n, (load, offset, value) in enumerate(asked):
            code += bpf(load, offset) + bpf(EQUAL, int.from_bytes(value, "big"), no=2 * (len(asked) - n) - 1)
        return code + bpf(TAKE, WHOLE) + bpf(TAKE, 0)

    def quoted(self, packet, number, to):
        return number if mark_of(self.protocol, packet) == self.mark else 0

    def read(self, number, sock):
        data, sender = sock.recvfrom(1 << 16)
        if self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]
        own = data == self.payload and sock.getsockname()[0] == sender[0]  # to ourselves, it comes back as it went
        if self.wanted is not None and mark_of(self.protocol, data) == self.wanted and not own:
            self.data(number, data, sender[0])
