# TCP: a handshake, and the first bytes of an answer where bytes are sent.
RST = struct.pack("ii", 1, 0)  # SO_LINGER: closed so, nothing of a connection is left, no TIME-WAIT


class Stream(Look):
    kind = "tcp"
    watched = select.EPOLLOUT

    def __init__(self, *args):
        super().__init__(*args)
        self.needs = 1 if self.sport else self.attempts

    def go_out(self, number):
        if self.sport:
            self.drop(number - 1)  # one source port, one connection
        sock = self.open(number)
        if sock:
            self.sent(number, sock.getsockname()[1])

    def socket(self):
        sock = socket.socket(self.family, socket.SOCK_STREAM)
        if self.sport:  # closed by RST: a TIME-WAIT of ours would bar the next look from this port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        return sock

    def error_step(self):
        return "read" if self.answered else "connect"

    def read(self, number, sock):
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
        if data:
            return self.data(number, data, self.target[0])
        say(self.name, "closed", number)
        self.finish()
