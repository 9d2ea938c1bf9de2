// The mutants of the reference firewalls: each operator on each rule of each machine, and the holes that people make. A mutant
// that the other wall hides is made a second time with that wall open for what belongs to its machine alone.
import { mustRun, run } from '../../lab/inside.ts';
import { mindingRules, setPhase } from '../../lab/phase.ts';
import { type Phase, vmNames } from '../../lab/topology.ts';
import { atItsWidest, type Hole, holes, leavesToChance, make, mend } from './holes.ts';
import { mutationsOf } from './operators.ts';
import { apply, difference, rulesetOf, textOf } from './ruleset.ts';

type Vm = (typeof vmNames)[number];

export type Mutant = Readonly<{
  id: string;
  host: Vm;
  phase: Phase;
  /** The chain that it changes; null for a hole, which stands in all walls that it needs. */
  chain: string | null;
  /** Chance decides which packets get through: then this makes it for all that could. */
  widest: (() => Promise<unknown>) | null;
  /** @returns what has changed, as a diff */
  make: () => Promise<readonly string[]>;
  mend: () => Promise<void>;
}>;

/** By rule of the firewalls as they are loaded now, which must be those of the phase. */
export async function mutantsOf(phase: Phase): Promise<readonly Mutant[]> {
  const all = await Promise.all(vmNames.map((host) => operatorsOn(host, phase)));
  const byHand = phase === 'steady' ? holes.map((hole) => holeOf(hole, phase)) : [];
  return [...byHand, ...all.flat()];
}

async function operatorsOn(host: Vm, phase: Phase): Promise<readonly Mutant[]> {
  const mutations = mutationsOf(await rulesetOf(host));
  // In setup only what differs from steady: the rest has been tried there.
  const differs = phase === 'steady' ? (): boolean => true : ({ chain, commands }: (typeof mutations)[number]): boolean => chain.startsWith('set ours') || JSON.stringify(commands).includes('@ours');
  return mutations.filter(differs).map(({ chain, name }): Mutant => ({
    id: `${host} ${chain} ${name}${phase === 'setup' ? ' (setup)' : ''}`,
    host, phase, chain, widest: null,
    make: () => changing(host, async () => {
      // Handles are others in each ruleset that is loaded.
      const now = mutationsOf(await rulesetOf(host)).find((one) => one.chain === chain && one.name === name);
      if (now === undefined) throw new Error(`${host} has no ${chain} ${name} any more`);
      await apply(host, now.commands);
    }),
    mend: () => setPhase(phase),
  }));
}

function holeOf(hole: Hole, phase: Phase): Mutant {
  const host = hole.steps[0]?.on ?? 'mesh';
  return {
    id: hole.id, host, phase, chain: null,
    widest: leavesToChance(hole) ? () => make(atItsWidest(hole.steps)) : null,
    make: async () => {
      await make(hole.steps);
      return hole.steps.map((step) => `${step.on}: ${step.text}`);
    },
    mend: async () => {
      await setPhase(phase);
      await run(host, ['sh', '-c', 'nft delete table inet hole; nft delete table ip hole']);
      await mend(hole);
    },
  };
}

async function changing(host: Vm, work: () => Promise<void>): Promise<readonly string[]> {
  const before = await textOf(host);
  await mindingRules(host, work);
  return difference(before, await textOf(host));
}

/**
 * The same mutant where nothing else stands in its way: for INPUT, the OUTPUT of all others is open towards its machine; for
 * OUTPUT, their INPUT is open for what comes from it. null: for joi's own OUTPUT, since with the others' INPUT open every
 * report is red (joi is confined), and for FORWARD, which has no other wall but joi's.
 */
export function onBothWalls(mutant: Mutant): Mutant | null {
  const { chain, host } = mutant;
  if (chain === null || !(chain === 'input' || (chain === 'output' && host !== 'joi'))) return null;
  return { ...mutant, id: `${mutant.id}${bothWalls}`, make: async () => [...(await openFor(host, chain)), ...(await mutant.make())] };
}

/** What the id of such a mutant ends with. */
export const bothWalls = ' (both walls)';

async function openFor(host: Vm, chain: 'input' | 'output'): Promise<readonly string[]> {
  const own = await addressesOf(host);
  const [others, field] = chain === 'input' ? (['output', 'daddr'] as const) : (['input', 'saddr'] as const);
  const rules = (['ip', 'ip6'] as const).map((family) => `${family} ${field} { ${own.filter((address) => address.includes(':') === (family === 'ip6')).join(', ')} } accept`);
  await Promise.all(vmNames.filter((name) => name !== host).map((name) =>
    mindingRules(name, () => mustRun(name, ['sh', '-c', rules.map((one) => `nft 'insert rule inet filter ${others} ${one}'`).join('; ')]))));
  return rules.map((one) => `+ ${others} of the others: ${one}`);
}

async function addressesOf(host: Vm): Promise<readonly string[]> {
  const text = await mustRun(host, ['ip', '-o', 'addr']);
  return [...text.matchAll(/inet6? ([0-9a-f.:]+)/g)].map(([, address]) => address ?? '').filter((address) => address !== '::1' && !address.startsWith('127.') && !address.startsWith('172.17.'));
}
