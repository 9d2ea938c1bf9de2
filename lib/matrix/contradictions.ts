// What a document says against itself: no mistake of the inventory, but a question to whoever wrote it. Pure.
import type { Document, Note } from './document.ts';

export function contradictions({ addresses, flows }: Document): readonly Note[] {
  const on = (host: string, network: string): string | null | undefined => addresses.find((one) => one.host === host && one.network === network)?.address;
  const notes = flows.flatMap(({ line, from, to, network, transport, ports, temp }): readonly Note[] => [
    ...(on(from, network) === null ? [{ line, text: `${from} has no ${network} by the map, and a flow by ${network}` }] : []),
    ...(on(to, network) === null ? [{ line, text: `${to} has no ${network} by the map, and a flow to it by ${network}` }] : []),
    ...(to === 'localhost' && !/^(lo|localhost)$/.test(network) ? [{ line, text: `localhost is not on ${network}` }] : []),
    // Resolvers ask over UDP first: RFC 7766, section 5.
    ...(transport === 'tcp' && ports.includes(53) && !flows.some((other) => other.from === from && other.transport === 'udp' && other.ports.includes(53) && (other.to === to || other.to === 'dns')) ? [{ line, text: `${from} may ask for names over TCP 53 alone; resolvers ask over UDP first` }] : []),
    ...(flows.some((other) => other.from === from && other.to === to && other.network === network && other.transport === transport && other.temp !== temp && other.ports.some((port) => ports.includes(port))) ? [{ line, text: `${from} -> ${to} is TEMP in one row and lasting in another` }] : []),
  ]);
  const map = addresses.flatMap(({ host, network, address, line }): readonly Note[] => {
    const own = flows.filter((flow) => flow.from === host && flow.network === network);
    if (address === null) return [];
    if (/dhcp/i.test(address)) return own.some(({ ports }) => ports.includes(67)) ? [] : [{ line, text: `${host} has its ${network} address by DHCP, and no row lets it ask for one (UDP 67)` }];
    return /^yes$/i.test(address) && own.length === 0 ? [{ line, text: `${host} is on ${network}, and no row lets it use that` }] : [];
  });
  return [...map, ...notes].toSorted((a, b) => a.line - b.line);
}
