# The connection tracking table, as lines of /proc/net/nf_conntrack, by netlink where there is none in /proc.


def conntrack(name, addresses):
    wanted = {packed(address) for address in addresses.split(",")}
    try:
        for line in table():
            source = next((word[4:] for word in line.split() if word.startswith("src=")), None)
            if source and packed(source) in wanted:
                say(name, "row", hexed(line.encode()))
        say(name, "fact", "dropped", hexed(b"%d" % dropped()))
    except OSError as error:
        say(name, "unprobed", name_of(error.errno), "conntrack")


def table():
    """The connection tracking table, as lines of /proc/net/nf_conntrack."""
    try:
        with open("/proc/net/nf_conntrack") as file:
            return file.read().splitlines()
    except FileNotFoundError:  # Debian's and Ubuntu's kernels have the netlink way alone
        return [row(family == socket.AF_INET, entry) for family in (socket.AF_INET, socket.AF_INET6) for entry in dump(family)]


def dropped():
    """The entries that a full table forgot before their time, and the packets that it kept out."""
    try:
        with open("/proc/net/stat/nf_conntrack") as file:
            names, *processors = [line.split() for line in file]
        return sum(int(line[names.index(name)], 16) for line in processors for name in ("drop", "early_drop"))
    except FileNotFoundError:
        # IPCTNL_MSG_CT_GET_STATS_CPU: CTA_STATS_DROP, CTA_STATS_EARLY_DROP
        return sum(int.from_bytes(processor.get(kind, b""), "big") for processor in dump(0, 4) for kind in (10, 11))


def dump(family, message=1):
    """By ctnetlink, a message's attributes each: linux/netlink.h and linux/netfilter/nfnetlink_conntrack.h have the numbers."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as sock:  # NETLINK_NETFILTER
        sock.settimeout(5)
        # Of NFNL_SUBSYS_CTNETLINK IPCTNL_MSG_CT_GET, or another, with NLM_F_REQUEST | NLM_F_DUMP, then nfgenmsg
        sock.send(struct.pack("=IHHIIBBH", 20, 0x100 | message, 0x301, 1, 0, family, 0, 0))
        while True:
            data = sock.recv(1 << 17)
            while data:
                length, kind = struct.unpack("=IH", data[:6])
                if kind == 3:  # NLMSG_DONE
                    return found
                if kind == 2:  # NLMSG_ERROR
                    code = -struct.unpack("=i", data[16:20])[0]
                    raise OSError(errno.EACCES if code == errno.EPERM else errno.ENOENT, "ctnetlink")
                found.append(attributes(data[20:length]))
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
