// What an earlier run found out by its logins, from its evidence.json. The file may be cut off, or another's: its shape is checked.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Discovery } from '../lib/model.ts';

const text = z.string();
const failure = z.object({ operation: z.enum(['known-hosts', 'login', 'start-prober', 'facts', 'resolve', 'exchange', 'interrupted']), cause: text });
const facts = z.object({
  kernel: text,
  addresses: z.array(z.object({ interface: text, address: text, prefix: z.int(), scope: z.enum(['global', 'link', 'host']) })),
  routes: z.array(z.object({ destination: text, kind: z.enum(['unicast', 'prohibit', 'blackhole', 'unreachable']), via: text.exactOptional(), interface: text.exactOptional() })),
  resolvers: z.array(text),
  links: z.array(z.object({ interface: text, mac: text })),
  neighbours: z.array(z.object({ address: text, interface: text, mac: text })),
});
const evidence = z.object({
  schema: z.literal(1),
  run: z.object({
    id: text, startedAt: text, inventoryHash: text,
    hosts: z.array(z.object({ name: text, facts: facts.nullable(), failure: failure.nullable() })),
    discovered: z.object({ names: z.record(text, z.union([z.array(text), failure])), witnesses: z.array(text), listeners: z.array(text), privileged: z.array(text), raw: z.array(text), beacons: z.record(text, text.nullable()), seenAs: z.array(text) }),
  }),
});

export type Known = Readonly<{ run: Readonly<{ id: string; startedAt: string; inventoryHash: string }>; discovery: Discovery }>;

/** @throws where the file is not there, or is no evidence of a run */
export function readKnown(file: string): Known {
  const { run } = parse(file);
  const hosts: Record<string, Discovery['hosts'][string]> = {};
  for (const { name, facts: told, failure: why } of run.hosts) hosts[name] = told ?? why ?? { operation: 'facts', cause: `nothing is known of ${name}` };
  return { run: { id: run.id, startedAt: run.startedAt, inventoryHash: run.inventoryHash }, discovery: { ...run.discovered, hosts } };
}

function parse(file: string): z.infer<typeof evidence> {
  const source = readFileSync(file, 'utf8');
  const mend = 'name the evidence.json of a run that has ended, or leave --known out';
  let raw: unknown;
  try {
    raw = JSON.parse(source);
  } catch (error) {
    throw new Error(`${file} is not JSON (${(error as Error).message}): ${mend}`, { cause: error });
  }
  const parsed = evidence.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new Error(`${file} is no evidence of a run (at ${first?.path.join('.') || 'its top'}: ${first?.message}): ${mend}`);
}
