# What looks and listeners have in common, and how they share the descriptors that a process may have.
OWN_DESCRIPTORS = 40  # kept free for stdio, epoll, netlink, the lock, GUESTS, CAPTURES, an outlook a family and the pipes of `ip`

waiting = collections.deque()  # looks that wait for descriptors
held = 0  # descriptors promised to looks under way, and one for each listener
room = 0  # how many may be promised
listeners = {}  # id of the command -> listener that stands


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


def begin_waiting():
    global held
    while waiting and (held == len(listeners) or held + waiting[0].needs <= room):
        look = waiting.popleft()
        held += look.needs
        # By way of a timer: were a socket opened while events of closed ones are still at hand, it could get theirs.
        at(0, look.guarded, look.begin)
