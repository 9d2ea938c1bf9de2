// What a cell of the document says, in the inventory's words. Pure.
/** A value, or what is wrong with the text. */
export type Told<T> = Readonly<{ value: T; fault: string | null }>;

/** `WAN (eth0)` and `vmbr1 (internal)`: what stands in brackets is a remark. */
export function networkOf(text: string): string {
  return slug(text);
}

/** `Signal servers`, `DHCP server`, `upstream NTP`: a host's or target's name, as the inventory spells it. */
export function peerOf(text: string): string {
  return slug(text).replace(/-servers?$/, '');
}

function slug(text: string): string {
  return text.replace(/\(.*?\)/g, ' ').trim().toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
}

export function transportsOf(text: string): Told<readonly ('tcp' | 'udp')[]> {
  const words = text.toLowerCase().split(/[\s,/+]+/).filter((word) => word !== '');
  const known = words.filter((word): word is 'tcp' | 'udp' => word === 'tcp' || word === 'udp');
  return { value: known, fault: words.length > 0 && known.length === words.length ? null : `"${text}" is no protocol that is known: TCP, UDP or TCP/UDP` };
}

/** The longest range that is taken for a list; the inventory has 64 ports in a row at most. */
const longestRange = 64;

/** `53,80,443`, `8000-8010`; of DHCP's `67/68` the first is the server's, the second the client's (RFC 2131, section 4.1). */
export function portsOf(text: string): Told<readonly number[]> {
  const ports = text.split(',').flatMap((part): readonly number[] => {
    const [, first = '', sign = '', second = ''] = /^\s*(\d{1,5})(?:\s*([/-])\s*(\d{1,5}))?\s*$/.exec(part) ?? [];
    const [low, high] = [Number(first), sign === '-' ? Number(second) : Number(first)];
    if (first === '' || (sign === '/' && `${first}/${second}` !== '67/68') || high < low || high - low >= longestRange) return [Number.NaN];
    return Array.from({ length: high - low + 1 }, (_none, index) => low + index);
  });
  const wrong = ports.some((port) => !(port >= 1 && port <= 65_535));
  return { value: wrong ? [] : [...new Set(ports)], fault: wrong ? `"${text}" are no ports that are known: as 443, 53,80,443, 8000-8010 or 67/68, from 1 to 65535` : null };
}
