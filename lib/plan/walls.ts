// A denied flow's firewalls one by one. Whoever takes a machine over as root owns its own firewall, the near wall; only the
// others, the far wall, count then. Pure.
import { factsOf, interfaceOf, isFailure, macOf, sourceAddress } from '../facts.ts';
import type { Facts, Flow, Look, Probe } from '../model.ts';
import { echoRequest, firstPacketOf, ipPacket, ipProtocols, tcpSyn, udpDatagram } from '../packet.ts';
import { protocols } from '../protocols/index.ts';
import { hostAt, type Cell, type Drawn, type Input } from './input.ts';

type Walled = Readonly<{ nearWall: Probe | null; farWall: Probe | null }>;
const none: Walled = { nearWall: null, farWall: null };

/** The kernel says at once that it would not send; the window is for a machine that is slow to say so. */
const atOnceMs = 150;

/** The looks at each wall by itself, for denied flows of a vantage that can send raw packets. */
export function wallsOf(input: Drawn, { flow, probe }: Cell): Walled {
  const { look } = probe;
  const able = input.discovery.raw.includes(flow.from) && input.inventory.site.without?.includes('walls') !== true;
  if (!able || flow.expected === 'allowed' || flow.address === null || flow.by !== undefined || (look.by !== 'exchange' && look.by !== 'raw')) return none;
  const [near, far] = [input.newToken(), input.newToken()];
  const wall = (name: string, token: string, made: Look | null): Probe | null => (made === null ? null : { id: `${flow.id} (${name})`, vantage: flow.from, flow, look: made, token });
  return {
    // A datagram that it bars gets EPERM from any socket: the probe itself has told.
    nearWall: flow.transport === 'tcp' ? wall('near wall', near, rawSyn(input, flow, near)) : null,
    farWall: wall('far wall', far, frameLook(input, flow, flow.route?.via ?? flow.address, far)),
  };
}

function rawSyn({ discovery, newPort }: Drawn, flow: Flow, token: string): Look | null {
  const facts = factsOf(discovery, flow.from);
  const address = flow.address ?? '';
  const source = isFailure(facts) ? null : sourceAddress(facts, address);
  if (source === null) return null;
  const sourcePort = flow.sourcePort ?? newPort();
  return { by: 'raw', sourcePort, raw: { attempts: 1, intervalMs: 10, windowMs: atOnceMs, address, ipProtocol: ipProtocols.tcp, payload: tcpSyn({ source, destination: address }, { sourcePort, port: flow.port }, sequenceOf(token)) } };
}

/**
 * A frame with the flow's first packet, to the neighbour that holds `nextHop`.
 * @returns null where the source's address or the neighbour's Ethernet address is not known: a frame for nobody would be silent
 */
export function frameLook({ inventory, discovery, newPort }: Drawn, flow: Flow, nextHop: string, token: string): Look | null {
  const facts = factsOf(discovery, flow.from);
  const device = flow.route?.interface;
  if (isFailure(facts) || device === undefined || flow.address === null) return null;
  const destination = flow.address.split('%')[0] ?? '';
  const source = flow.by === undefined ? sourceAddress(facts, flow.address) : sourceAddress(facts, nextHop);
  const mac = neighbourMac({ inventory, discovery }, facts, device, nextHop, nextHop === flow.address ? flow.to : null);
  if (source === null || mac === null) return null;
  const sourcePort = flow.sourcePort ?? (protocols[flow.protocol].sourcePort || newPort());
  const [ipProtocol, payload] = packetOf(flow, { source, destination }, sourcePort, token);
  const { attempts, intervalMs, windowMs } = inventory.site.timing.denied;
  return { by: 'frame', sourcePort: flow.transport === 'ip' ? 0 : sourcePort, frame: { attempts, intervalMs, windowMs, device, mac, packet: ipPacket({ source, destination }, ipProtocol, payload) } };
}

function packetOf(flow: Flow, ends: Readonly<{ source: string; destination: string }>, sourcePort: number, token: string): readonly [number, string] {
  const { port } = flow;
  switch (flow.transport) {
    case 'tcp':
      return [ipProtocols.tcp, tcpSyn(ends, { sourcePort, port }, sequenceOf(token))];
    case 'udp': {
      const send = protocols[flow.protocol].request(token, { serverName: null, question: 'example.com', ownAddress: ends.source });
      return [ipProtocols.udp, udpDatagram(ends, { sourcePort, port }, send)];
    }
    case 'icmp':
      return [ends.destination.includes(':') ? ipProtocols.icmpv6 : ipProtocols.icmp, echoRequest(ends, sourcePort, token)];
    case 'ip':
      return [port, firstPacketOf(ends, port, token)];
    default:
      return flow.transport satisfies never;
  }
}

function sequenceOf(token: string): number {
  return Number.parseInt(token.slice(8, 16), 16);
}

/** No Ethernet, as on a tun device, needs none. The neighbour's own word goes before what others remember of it. */
function neighbourMac(input: Pick<Input, 'inventory' | 'discovery'>, facts: Facts, device: string, nextHop: string, known: string | null): string | null {
  if (facts.links.length > 0 && macOf(facts, device) === null) return '00:00:00:00:00:00';
  const bare = nextHop.split('%')[0] ?? '';
  const host = known ?? hostAt(input, bare);
  const theirs = host === null ? null : factsOf(input.discovery, host);
  const holder = theirs === null || isFailure(theirs) ? null : interfaceOf(theirs, bare);
  if (theirs !== null && !isFailure(theirs) && holder !== null) return macOf(theirs, holder);
  return facts.neighbours.find((one) => one.address === bare && one.interface === device)?.mac ?? null;
}
