# IP packets: taken apart, told from each other, and asked for by a filter in the kernel.
PORTED = {6, 17, 33, 132, 136}  # TCP, UDP, DCCP, SCTP, UDP-Lite: they begin with source port and destination port
ECHOES = {1: {8: 0}, 58: {128: 129}}  # ICMP, ICMPv6: request -> reply

# Classic BPF (linux/filter.h): what the kernel is to ask of a packet before it gives it to a socket.
LOAD, HALF, BYTE = 0x20, 8, 0x10  # BPF_LD | BPF_ABS of a word; added to it: half of one, a byte
BEHIND = 0x20  # added to LOAD: BPF_IND, from behind the IPv4 header whose length IHL has found
IHL, AND, EQUAL, GREATER, TAKE = 0xB1, 0x54, 0x15, 0x25, 0x06  # BPF_LDX | BPF_MSH, BPF_ALU | BPF_AND, BPF_JEQ, BPF_JGT, BPF_RET
NETWORK, AUXILIARY, WHOLE = 0xFFF00000, 0xFFFFF000, 0xFFFFFFFF  # SKF_NET_OFF, SKF_AD_OFF, all of the packet


def bpf(code, value, yes=0, no=0):
    return struct.pack("=HBBI", code, yes, no, value)


def attach(sock, code):
    held = array.array("B", code)
    sock.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HP", len(held) // 8, held.buffer_info()[0]))  # SO_ATTACH_FILTER


def from_any_of(sources, family):
    """The end of a filter: takes what has one of these packed addresses as its source, and no more."""
    code, offset, length = b"", *((12, 4) if family == socket.AF_INET else (8, 16))  # of the source address in the IP header
    for source in sources:
        if len(source) != length:
            continue
        words = struct.unpack("!%dI" % (length // 4), source)
        for at_word, word in enumerate(words):
            code += bpf(LOAD, NETWORK + offset + 4 * at_word)
            code += bpf(EQUAL, word, no=2 * (len(words) - at_word) - 1)  # else on to the next source
        code += bpf(TAKE, WHOLE)
    return code + bpf(TAKE, 0)


def taken_apart(packet):
    """-> source, destination, protocol, transport header on; None: no IP, too short, or a fragment that is not the first."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20:
        length, flags = struct.unpack("!2xH2xH", packet[:8])
        head = (packet[0] & 15) * 4
        if head < 20 or flags & 0x1FFF:
            return None
        return packet[12:16], packet[16:20], packet[9], packet[head:length]  # short frames are padded
    if version == 6 and len(packet) >= 40:
        length, protocol, head = int.from_bytes(packet[4:6], "big"), packet[6], 40
        while protocol in (0, 43, 44, 60) and len(packet) >= head + 8:  # hop-by-hop, routing, fragment, destination options
            if protocol == 44 and (packet[head + 2] << 8 | packet[head + 3]) & 0xFFF8:
                return None
            protocol, head = packet[head], head + (8 if protocol == 44 else 8 + 8 * packet[head + 1])
        return packet[8:24], packet[24:40], protocol, packet[head : 40 + length]
    return None


def mark_of(protocol, transport):
    """What tells a packet from others of its protocol between the same two hosts; None: it is too short for that."""
    if protocol in PORTED:
        return transport[:4] if len(transport) >= 8 else None
    if protocol in ECHOES:  # type and identifier
        return transport[:1] + transport[4:6] if len(transport) >= 8 else None
    return b""


def answer_to(protocol, mark):
    """The mark of what answers a packet with that mark; None: nothing that we could tell."""
    if protocol in PORTED:
        return mark[2:] + mark[:2]
    if protocol in ECHOES:
        return bytes([ECHOES[protocol][mark[0]]]) + mark[1:] if mark[0] in ECHOES[protocol] else None
    return b""
