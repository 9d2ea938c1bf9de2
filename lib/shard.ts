// A shard: the sources that one of several machines looks from, so that together they make one run. Pure.
import { operator } from './facts.ts';
import { sha256 } from './hash.ts';
import type { Flow, Inventory, Shard } from './model.ts';
import type { Selection } from './select.ts';

/** `run`: what all shards of one run have alike. */
export type OneOf = Readonly<{ shard: Shard; run: string }>;

/** In the last number of the address that a shard holds: 0 is a whole run's, 255 the turn that its shards take. */
const mostShards = 254;

/**
 * FLOWPROOF_SHARD (`2/5`) and FLOWPROOF_RUN_ID.
 * @returns null: neither is set, so this is a whole run
 * @throws Error that says what must be mended
 */
export function readShard(shard: string | undefined, run: string | undefined): OneOf | null {
  if ((shard ?? '') === '' && (run ?? '') === '') return null;
  if ((shard ?? '') === '') throw new Error('FLOWPROOF_RUN_ID is set and FLOWPROOF_SHARD is not: which shard of that run is this? Set it, as 2/5, or neither');
  const [, number, of] = /^([1-9]\d{0,2})\/([1-9]\d{0,2})$/.exec(shard ?? '') ?? [];
  if (number === undefined || Number(number) > Number(of) || Number(of) > mostShards) throw new Error(`FLOWPROOF_SHARD is "${shard}"; it must be the shard's number and how many there are, as 2/5: from 1/1 to ${mostShards}/${mostShards}`);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(run ?? '')) throw new Error(`FLOWPROOF_RUN_ID is ${(run ?? '') === '' ? 'not set' : `"${run}"`}; it must be the same for all shards of one run and for no other: up to 64 letters, digits, dots, dashes and underscores`);
  return { shard: { number: Number(number), of: Number(of) }, run: run ?? '' };
}

export const shardName = ({ number, of }: Shard): string => `shard ${number}/${of}`;

/** The folder of its reports among those of its run. */
export const shardFolder = ({ shard: { number, of }, run }: OneOf): string => `${run}-${number}-of-${of}`;

/** All that flows come from, in the order of the plan. */
export const sourcesOf = ({ matrix }: Inventory): readonly string[] => [...Object.keys(matrix.hosts), operator];

/** Dealt out in the inventory's order, so that every machine comes to the same shares without asking the others. */
export const ownSources = (inventory: Inventory, { number, of }: Shard): readonly string[] => sourcesOf(inventory).filter((_source, index) => index % of === number - 1);

/** The cells of its sources. Beyond the gateway, what the gateway sends by itself looks like what it translates: another shard may send that meanwhile. */
export function shardSelection(inventory: Inventory, shard: Shard): Selection {
  const own = new Set(ownSources(inventory, shard));
  const takes = ({ from }: Flow): boolean => own.has(from);
  return { name: own.size === 0 ? `${shardName(shard)}, which has no source,` : `${shardName(shard)} (from ${[...own].join(', ')})`, takes, meanwhile: (flow) => !takes(flow) && flow.from === inventory.site.gateway };
}

/** The same of a batch: nobody looks meanwhile, so nothing is taken for what others send. */
export function batchSelection(inventory: Inventory, batch: Shard): Selection {
  const sources = ownSources(inventory, batch);
  const own = new Set(sources);
  return { name: `batch ${batch.number}/${batch.of} (from ${sources.join(', ')})`, takes: ({ from }) => own.has(from), meanwhile: () => false };
}

/** The loopback address that a run holds on every machine: 127, two numbers of the run's own, and the shard's. */
export function lockOf(run: string, shard: Shard | null): string {
  return `${network(run)}.${shard?.number ?? 0}`;
}

/** What one shard holds at a time, where it reads a count that others would move. */
export const turnOf = (run: string): string => `${network(run)}.255`;

function network(run: string): string {
  const [first = 0, second = 0] = Buffer.from(sha256(run), 'hex');
  return `127.${1 + (first % 254)}.${1 + (second % 254)}`; // 127.0 and 127.255 are others'
}
