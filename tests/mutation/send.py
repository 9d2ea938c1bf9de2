# Sends the packets of a reckoning from inside one machine's network: through its OUTPUT chain by raw sockets, or past it as
# frames. Builds every byte itself and reads no answer: the kernels' own sets (reckoning.nft) say what became of each.
# stdin: {"rounds": 2, "packets": [{source, target, device, protocol, sport, dport, payload, mac | null, frame}]}
import json
import socket
import struct
import sys
import time

GAP_S = 0.15  # between rounds: the first finds the neighbours' Ethernet addresses, whose queues hold a hundred packets


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.inet_pton(family, address.split("%")[0])


def transport(p, source, target):
    """The payload of the IP packet, RFC 9293, 768, 792, 4443; others get eight bytes, since routers quote that many."""
    protocol, sport, dport, data = p["protocol"], p["sport"], p["dport"], bytes.fromhex(p["payload"])
    if len(source) == 4:
        pseudo = lambda size: source + target + struct.pack("!BBH", 0, protocol, size)
    else:
        pseudo = lambda size: source + target + struct.pack("!IHBB", size, 0, 0, protocol)
    if protocol == 6:
        head = lambda total: struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 5 << 4, 2, 64240, total, 0)
        return head(checksum(pseudo(20) + head(0)))
    if protocol == 17:
        size = 8 + len(data)
        head = lambda total: struct.pack("!HHHH", sport, dport, size, total)
        return head(checksum(pseudo(size) + head(0) + data)) + data
    if protocol == 1:
        head = lambda total: struct.pack("!BBHHH", 8, 0, total, sport, 1)
        return head(checksum(head(0)))
    if protocol == 58:
        head = lambda total: struct.pack("!BBHHH", 128, 0, total, sport, 1)
        return head(checksum(pseudo(8) + head(0)))
    return struct.pack("!HHI", sport, dport, 0) if protocol == 132 else b"\0" * 8


def whole(p):
    """RFC 791, 8200."""
    source, target = packed(p["source"]), packed(p["target"])
    inner = transport(p, source, target)
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(inner), p["protocol"], 64) + source + target + inner
    head = lambda total: struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(inner), 0, 0, 64, p["protocol"], total) + source + target
    return head(checksum(head(0))) + inner


def main():
    asked = json.load(sys.stdin)
    raw = {4: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW), 6: socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_RAW)}
    link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    barred = 0
    for turn in range(asked["rounds"]):
        if turn:
            time.sleep(GAP_S)
        for p in asked["packets"]:
            version = 6 if ":" in p["target"] else 4
            try:
                if p["frame"]:
                    mac = bytes.fromhex(p["mac"].replace(":", "")) if p["mac"] else b""
                    link.sendto(whole(p), (p["device"], 0x86DD if version == 6 else 0x0800, 0, 0, mac))
                elif version == 6:
                    scope = socket.if_nametoindex(p["device"]) if p["target"].lower().startswith("fe80") else 0
                    raw[6].sendto(whole(p), (p["target"].split("%")[0], 0, 0, scope))
                else:
                    raw[4].sendto(whole(p), (p["target"], 0))
            except OSError:
                barred += 1  # the kernel's sets know it did not leave
    time.sleep(GAP_S)
    print(json.dumps({"sent": asked["rounds"] * len(asked["packets"]), "barred": barred}))


main()
