# What the host says of itself: its facts, its configuration, how many resets it has sent, and whether another run holds it.
LOCK_PORT = 16176
locks = {}  # address -> the socket, for as long as we are

# What is asked of the shell; the second way where the first does not work, as on busybox.
FACTS = {
    "kernel": "uname -a",
    "addresses": "ip -o addr",
    "links": "ip -o link",
    "routes4": "ip -4 route show table all || ip -4 route",
    "routes6": "ip -6 route show table all || ip -6 route",
    "neighbours": "ip neigh",
    "resolvers": "cat /run/systemd/resolve/resolv.conf || cat /etc/resolv.conf",
    "forwarding": "cd /proc/sys/net; echo ipv4 $(cat ipv4/ip_forward); [ ! -e ipv6 ] || echo ipv6 $(cat ipv6/conf/all/forwarding)",
    # Rules that cannot be read may be such rules.
    "untracked": "for list in 'nft --stateless list ruleset' iptables-save ip6tables-save; do ! command -v ${list%% *} >/dev/null || $list || echo notrack: unread; done | grep -i notrack",
    "dhcp-server": "sed -n 's/^SERVER_ADDRESS=//p; s/.*dhcp-server-identifier \\(.*\\);/\\1/p' /run/systemd/netif/leases/* /var/lib/dhcp/*.leases | sort -u",
}


LONGEST_CONFIGURATION = 1 << 18
path = {"PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"}


def configuration(name):
    """By the script that program.ts puts on top. Takes some tenths of a second, in a process of its own, while the loop goes on."""
    script = ["timeout", "-k", "1", "20", "sh", "-c", CONFIGURATION + "\nconfiguration"]
    child = subprocess.Popen(script, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=path)
    told = bytearray()

    def on_output(_):
        data = os.read(child.stdout.fileno(), 1 << 16)
        told.extend(data)
        if data and len(told) < LONGEST_CONFIGURATION:
            return
        epoll.unregister(child.stdout)
        del handlers[child.stdout.fileno()]
        child.stdout.close()
        child.wait()
        say(name, "fact", "configuration", hexed(told))
        say(name, "end")

    handlers[child.stdout.fileno()] = on_output
    epoll.register(child.stdout, select.EPOLLIN)


def facts(name):
    """Waits for the shell, some milliseconds: to be asked before anything that must keep time."""
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


def resets(name):
    """By the column's name: kernels add columns."""
    try:
        with open("/proc/net/snmp") as file:
            titles, values = [line.split() for line in file if line.startswith("Tcp:")]
        say(name, "fact", "resets", hexed(values[titles.index("OutRsts")].encode()))
    except (OSError, ValueError, IndexError):
        say(name, "unprobed", "ENOENT", "resets")


def bounds(name):
    """What there is of what this machine bounds, and its bound; what cannot be read is not said."""
    tracked = tracked_now()
    told = ["conntrack %d %d" % tracked] if tracked else []
    told.append("descriptors %d %d" % (len(os.listdir("/proc/self/fd")) - 1, os.sysconf("SC_OPEN_MAX")))  # but the one that lists them
    say(name, "fact", "bounds", hexed("\n".join(told).encode()))


def lock(name, address):
    """Held first and looked around after: of two runs at once, one at least sees the other."""
    own = loopback(address)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.bind((address, LOCK_PORT))
        sock.listen(1)
        if any(holder[:3] != own[:3] for holder in holders()):
            raise OSError(errno.EADDRINUSE, "another run")
        locks[address] = sock
        say(name, "fact", "lock", hexed(b"held"))
    except OSError as error:
        sock.close()
        say(name, "unprobed", name_of(error.errno), "lock")


def unlock(name, address):
    loopback(address)
    if address in locks:
        locks.pop(address).close()


def loopback(address):
    own = socket.inet_aton(address)
    if own[0] != 127 or address != socket.inet_ntoa(own):
        raise ValueError
    return own


def holders():
    """The loopback addresses on which somebody listens at the port of the lock."""
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file][1:]
    places = [row[1].split(":") for row in rows if row[3] == "0A"]
    found = [struct.pack("=I", int(address, 16)) for address, port in places if int(port, 16) == LOCK_PORT]
    return [address for address in found if address[0] == 127]
