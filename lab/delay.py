# A longer cable: carries frames between a port of the switch and a TAP device that takes the port's place, each so much later than
# it came, and never earlier. What the kernel has left undone in a frame (checksums, segments) goes along in its virtio header.
# Ends with its stdin, and the TAP device with it.
import collections, fcntl, os, select, socket, struct, sys, time

port, device, delay = sys.argv[1], sys.argv[2], float(sys.argv[3]) / 1000
TUNSETIFF, TAP_NO_PI_VNET_HDR = 0x400454CA, 0x0002 | 0x1000 | 0x4000  # linux/if_tun.h
SOL_PACKET, PACKET_VNET_HDR, PACKET_OUTGOING, ALL = 263, 15, 4, 3  # linux/if_packet.h, if_ether.h
LARGEST = 1 << 17  # a segment of 64 KiB and its headers

tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", device.encode(), TAP_NO_PI_VNET_HDR))
cable = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
cable.setblocking(False)
cable.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
cable.setsockopt(socket.SOL_SOCKET, 33, 1 << 23)  # SO_RCVBUFFORCE
cable.bind((port, ALL))
print("ready", flush=True)


def from_cable():
    frame, place = cable.recvfrom(LARGEST)
    return None if place[2] == PACKET_OUTGOING else frame


on_the_way = collections.deque()  # (when it is there, how it gets out, frame), in the order in which they came
ways = {cable.fileno(): (from_cable, lambda frame: os.write(tap, frame)), tap: (lambda: os.read(tap, LARGEST), cable.send)}
while True:
    wait = max(0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
    ready, _, _ = select.select([0, *ways], [], [], wait)
    if 0 in ready and not os.read(0, 1):
        break
    for source in ready:
        if source in ways:
            receive, send = ways[source]
            frame = receive()
            if frame:
                on_the_way.append((time.monotonic() + delay, send, frame))
    while on_the_way and on_the_way[0][0] <= time.monotonic():
        _, send, frame = on_the_way.popleft()
        try:
            send(frame)
        except OSError:  # no room, or the port is down: cables lose frames
            pass
