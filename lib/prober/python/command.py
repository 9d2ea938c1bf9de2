# Commands in: a line is a look, a listener or a question, or malformed.
LONGEST_WINDOW = 3600000  # of a listener, in ms
PATIENCE_S = 120  # a connection may die without a word: so long without a line, and nobody is there any more
LONGEST_LINE = 1 << 17  # a 64 KiB datagram in hex; a longer line is noise and must not fill the memory
PLAIN = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:.,%+_@- ")  # as commands.sh, lest they differ

ASKED = {"facts": facts, "conntrack": conntrack, "resets": resets, "bounds": bounds, "lock": lock, "unlock": unlock, "quit": lambda name: None}  # answered at once


def number(word, most):
    if not word.isdigit() or int(word) > most:
        raise ValueError
    return int(word)


def numbers_of(words, *most):
    """As many numbers as there are bounds, each within its own."""
    if len(words) != len(most):
        raise ValueError
    return [number(*pair) for pair in zip(words, most)]


def command(line):
    """One line of the operator's. Raises ValueError or OSError on a malformed one."""
    name, verb, *args = line.split(" ")
    if not set(line) <= PLAIN:
        raise ValueError
    if verb == "listen":
        kind, address, port, window, sources = args
        if not address or kind not in ("tcp", "udp") or number(port, 65535) < 1 or name in listeners:
            raise ValueError
        listener = Listener(name, kind, address, int(port), number(window, LONGEST_WINDOW), sources)
        listener.guarded(listener.begin)
    elif verb == "hush":
        (listener,) = args
        if listener in listeners:
            listeners[listener].finish()
        say(name, "end")
    elif verb == "configuration" and not args:
        configuration(name)  # which says its end itself
    elif verb in ASKED and len(args) == (verb in ("conntrack", "lock", "unlock")):
        ASKED[verb](name, *args)
        say(name, "end")
        if verb == "quit":
            os.set_blocking(1, True)
            flush()
            os._exit(0)
    else:
        begin(look_of(name, verb, *args))


def look_of(name, verb, *args):
    if verb == "sweep":
        kind, address, *numbers = args
        if kind not in ("tcp", "udp"):
            raise ValueError
        return (SynSweep if kind == "tcp" else DatagramSweep)(name, address, *numbers_of(numbers, 65535, 65535, 65535, 1000, 99999, 60000))
    if verb == "sweep-past":
        device, mac, packet, *numbers = args
        return FrameSweep(name, device, mac, packet, *numbers_of(numbers, 65535, 65535, 1000, 99999, 60000))
    *place, payload, attempts, interval, window = args
    if not place or not place[0] or number(attempts[attempts.startswith("+") :], 1000) < 1:
        raise ValueError
    tries = payload, attempts, number(interval, 60000), number(window, 60000)
    if verb in ("tcp", "udp"):
        address, port, sport = place
        return (Stream if verb == "tcp" else Datagram)(name, address, number(port, 65535), number(sport, 65535), *tries)
    if verb == "icmp":
        (address,) = place
        return Echo(name, address, 0, 0, *tries)
    if verb == "raw":
        address, protocol = place
        return Raw(name, address, number(protocol, 255), *tries)
    if verb == "frame":
        device, mac = place
        return Frame(name, device, mac, *tries)
    raise ValueError


def begin(look):
    if look.needs:
        waiting.append(look)
        begin_waiting()
    else:
        at(0, look.guarded, look.begin)


def end_if_alone():
    due = heard + PATIENCE_S
    if time.monotonic() >= due:
        os._exit(0)
    at(due, end_if_alone)


def on_stdin(_):
    global pending, heard
    try:
        data = os.read(0, 1 << 16)
    except BlockingIOError:
        return
    if not data:
        os._exit(0)  # the operator is gone: sockets and all end with us
    heard = time.monotonic()
    *lines, pending = (pending + data).split(b"\n")
    if len(pending) > LONGEST_LINE:
        lines, pending = lines + [pending], b""
    for line in filter(None, lines):  # an empty one says that the operator is still there
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
