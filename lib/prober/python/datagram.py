# UDP and ICMP echo. Of both, an answer is what comes back; of an echo, with our identifier and bytes.
ECHO = {socket.AF_INET: (socket.IPPROTO_ICMP, 8, 0), socket.AF_INET6: (socket.IPPROTO_ICMPV6, 128, 129)}  # request, reply


class Datagram(Look):
    kind = "udp"

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, self.broadcast)
        return sock

    def was_broadcast(self, error, sock):
        """EACCES means a prohibit route, or a broadcast address: then SO_BROADCAST helps."""
        if error.errno == errno.EACCES:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self.broadcast = sock.connect_ex(self.target) == 0
        return self.broadcast

    def put(self, number, sock):
        sock.sendto(self.payload, self.target) if self.broadcast else sock.send(self.payload)

    def read(self, number, sock):
        data, sender = sock.recvfrom(1 << 16)
        self.data(number, data, sender[0])


class Echo(Look):
    kind = "icmp"
    shared = True

    def socket(self):
        self.raw = False
        try:
            return socket.socket(self.family, socket.SOCK_DGRAM, ECHO[self.family][0])  # net.ipv4.ping_group_range permitting
        except PermissionError:
            self.raw, self.ident = True, 1 + int.from_bytes(os.urandom(2), "big") % 65535
            return socket.socket(self.family, socket.SOCK_RAW, ECHO[self.family][0])

    def open(self, number):
        sock = super().open(number)
        if sock and not self.raw:
            self.ident = sock.getsockname()[1]  # the kernel's choice
        return sock

    def put(self, number, sock):
        sock.send(self.request(number))

    def read(self, number, sock):
        data, sender = sock.recvfrom(1 << 16)
        if self.raw and self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4 :]
        number = self.try_of(data, ECHO[self.family][2])
        if number and data[8:] == self.payload:
            self.data(number, data[8:], sender[0])

    def quoted(self, packet, number, to):
        return self.try_of(packet, ECHO[self.family][1])

    def request(self, number):
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
