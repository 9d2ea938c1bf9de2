// IP arithmetic: what node:net does not say in one word.
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Bits of a network's prefix; a bare address is a network of one. */
export function prefixLength(cidr: string): number {
  const [base = '', bits] = cidr.split('/');
  return bits === undefined ? (isIPv4(base) ? 32 : 128) : Number(bits);
}

/** Whether a text is an address, with or without the length of a prefix that fits its family. */
export function isNetwork(cidr: string): boolean {
  const [base = '', bits, ...more] = cidr.split('/');
  const longest = { 0: -1, 4: 32, 6: 128 }[isIP(base)] ?? -1;
  return more.length === 0 && longest >= 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest));
}

/** Whether two texts name the same address, however they spell it, and whatever interface they add. */
export function sameAddress(a: string, b: string): boolean {
  return canonical(a) === canonical(b);
}

/** Whether an address lies in a network (`172.22.22.0/29`) or is the one given without a length. */
export function within(address: string, cidr: string): boolean {
  const base = cidr.split('/')[0] ?? '';
  if (isIP(address) === 0 || isIP(base) !== isIP(address) || !isNetwork(cidr)) return false;
  const list = new BlockList();
  list.addSubnet(base, prefixLength(cidr), isIPv4(base) ? 'ipv4' : 'ipv6');
  return list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** One spelling for each address, without its scope: `fe80:0000:…:0001` and `fe80::1` are the same. */
export function canonical(address: string): string {
  if (!address.includes(':')) return address; // IPv4 has one spelling and no scope: worth the line, it is asked most
  const known = spelled.get(address);
  if (known !== undefined) return known;
  const bare = address.split('%')[0] ?? address;
  const one = isIP(bare) === 6 ? new URL(`http://[${bare}]`).hostname.slice(1, -1) : bare;
  if (spelled.size >= mostSpelled) spelled.clear();
  spelled.set(address, one);
  return one;
}

/** A run asks for the same few hundred a million times; what machines in other hands say must not fill the memory. */
const spelled = new Map<string, string>();
const mostSpelled = 10_000;

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  const bare = canonical(address);
  if (isIPv4(bare)) return Buffer.from(bare.split('.').map(Number));
  const [head = '', tail] = bare.split('::');
  const words = (text: string | undefined): readonly string[] => (text ?? '').split(':').filter((word) => word !== '');
  const known = words(head).length + words(tail).length;
  const all = [...words(head), ...Array.from({ length: 8 - known }, () => '0'), ...words(tail)];
  return Buffer.from(all.map((word) => word.padStart(4, '0')).join(''), 'hex');
}
