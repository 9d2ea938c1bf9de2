// A machine's firewall as its kernel has it, and changes to it by rule, in nft's own JSON (libnftables-json(5)).
import { host } from '../../lab/shell.ts';
import { type InnerName, namespaceOf } from '../../lab/topology.ts';

export type Match = Readonly<{ match: Readonly<{ op: string; left: Readonly<Record<string, unknown>>; right: unknown }> }>;
export type Statement = Match | Readonly<Record<string, unknown>>;
export type Rule = Readonly<{ family: string; table: string; chain: string; handle: number; expr: readonly Statement[] }>;
export type Chain = Readonly<{ family: string; table: string; name: string; hook?: string; prio?: number; type?: string; policy?: string }>;
export type NftSet = Readonly<{ family: string; table: string; name: string; elem?: readonly unknown[] }>;

/** One of libnftables' commands, as `{ delete: { rule: … } }`. */
export type Command = Readonly<Record<string, unknown>>;

export type Ruleset = Readonly<{ chains: readonly Chain[]; rules: readonly Rule[]; sets: readonly NftSet[] }>;

const nft = (name: InnerName, flags: readonly string[]): Promise<{ readonly stdout: string }> =>
  host`nsenter --net=/run/netns/${namespaceOf(name)} nft ${flags}`;

/** The matrix's own table; what Docker or NAT have is no mutant's business. */
export async function rulesetOf(name: InnerName): Promise<Ruleset> {
  const { stdout } = await nft(name, ['-j', 'list', 'table', 'inet', 'filter']);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly { readonly chain?: Chain; readonly rule?: Rule; readonly set?: NftSet }[] };
  return {
    chains: nftables.flatMap(({ chain }) => chain ?? []),
    rules: nftables.flatMap(({ rule }) => rule ?? []),
    sets: nftables.flatMap(({ set }) => set ?? []),
  };
}

export async function apply(name: InnerName, commands: readonly Command[]): Promise<void> {
  // For JSON nft opens /dev/stdin, which cannot be opened where it is a socket, as node's are.
  await host({ input: JSON.stringify({ nftables: commands }) })`sh -c ${'cat | nsenter --net="$0" nft -j -f -'} /run/netns/${namespaceOf(name)}`;
}

/** All the rules as nft prints them, without handles and counters: what a mutant has changed is the difference. */
export async function textOf(name: InnerName): Promise<readonly string[]> {
  const { stdout } = await nft(name, ['-s', 'list', 'ruleset']);
  let chain = '';
  return stdout.split('\n').flatMap((line) => {
    chain = /^\t(?:chain|set) (\S+)/.exec(line)?.[1] ?? chain;
    const text = line.trim();
    return text === '' || text === '}' ? [] : [`${chain}: ${text}`];
  });
}

/** As a diff has it; a rule that only moved stands on both sides. */
export function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const lost = before.filter((line) => !after.includes(line)).map((line) => `- ${line}`);
  const added = after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`);
  const all = [...lost, ...added];
  return all.length > 0 || before.join('\n') === after.join('\n') ? all : ['the same rules in another order'];
}
