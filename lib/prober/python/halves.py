# Half-open connections to our listeners: a SYN got here, and the handshake did not get its end.
HALVES_EVERY = 0.25  # a half-open connection stands for a second or two
PROC_NET = {socket.AF_INET: "/proc/net/tcp", socket.AF_INET6: "/proc/net/tcp6"}

half_open = {}  # family -> (when it was read, local -> remotes of this machine's half-open connections)
halves_due = 0  # when they are next to be read


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
