// The whole product against the lab: `npm test` typed at the operator's seat, and its evidence read back.
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { begin, mustRun } from '../../lab/inside.ts';
import { repository } from '../../lab/up.ts';

/** One entry of evidence.json, as far as the scenarios read it. */
export type Cell = Readonly<{
  id: string; from: string; to: string; address: string | null; network: string; proto: string; port: number; family: string;
  expected: string; row: string; verdict: string; reason: string; grade: string | null; controls: readonly string[];
  outcome: Readonly<{ seen: string }>; note: string | null; startedAt: string; durationMs: number; attempts: number;
  sourcePort: number | null; by: string | null; walls: Readonly<{ near: Wall; far: Wall }> | null;
}>;

type Wall = Readonly<{ stands: boolean | null; grade: string | null; reason: string }>;

/** `blind`: the machines that were not entered. */
export type Ran = Readonly<{ exitCode: number; output: string; cells: readonly Cell[]; loss: Loss | null; steps: readonly Step[]; blind: readonly string[]; junit: string }>;

/** Where the run's time went. */
type Step = Readonly<{ name: string; ms: number }>;

/** What the run itself found out about lost packets. */
type Loss = Readonly<{ roundTrips: number; missed: number; extraTries: number }>;

/** An `npm test` that is under way. */
export type Typed = Readonly<{
  ended: Promise<Ran>;
  /** What the terminal shows so far. */
  said: () => string;
  /** Its processes, as the host numbers them. */
  pids: () => readonly number[];
  /** Ctrl-C: SIGINT to all of the terminal's foreground processes. */
  interrupt: () => void;
}>;

/** No run takes this long, however busy the machine: it hangs. */
const hangsAfterMs = 300_000;

/** The site as it is shipped, watch list and all: some 5,000 cells. */
export const shipped = { FLOWPROOF_INVENTORY: join(repository, 'inventory.json') } as const;

/** With two ports of its watch list: half the cells for scenarios that ask what a fault does, not how much is asked. */
function shortSite(folder: string): string {
  const inventory = JSON.parse(readFileSync(shipped.FLOWPROOF_INVENTORY, 'utf8')) as { matrix: { document: string }; site: { watch: unknown } };
  inventory.site.watch = { tcp: [9090], udp: [5353] };
  inventory.matrix.document = join(repository, inventory.matrix.document);
  const file = join(folder, 'inventory.json');
  writeFileSync(file, JSON.stringify(inventory));
  return file;
}

/**
 * Types `npm test` at the operator's seat; the reports go to a folder of their own, removed afterwards.
 * @param keep or renamed to this
 * @param argv what is typed after `npm test --`
 */
export function typeNpmTest(env: Readonly<Record<string, string>> = {}, keep: string | null = null, argv: readonly string[] = []): Typed {
  const parent = join(repository, 'reports');
  mkdirSync(parent, { recursive: true });
  const reports = mkdtempSync(join(parent, 'scenario-'));
  // In a session of its own, as a terminal's: nsenter, which is none of the operator's, is then not in its group.
  const child = begin('operator', ['setsid', 'npm', 'test', '--', ...argv], { dir: repository, env: { FLOWPROOF_REPORTS: reports, FLOWPROOF_INVENTORY: shortSite(reports), CI: 'true', ...env } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of childrenOf(child.pid)) process.kill(-pid, name);
  };
  const read = (file: string): string => (existsSync(join(reports, 'latest', file)) ? readFileSync(join(reports, 'latest', file), 'utf8') : '');
  const ended = async (): Promise<Ran> => {
    const timer = setTimeout(() => signal('SIGKILL'), hangsAfterMs);
    try {
      const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
      if (killedBy === 'SIGKILL') throw new Error(`npm test hung for ${hangsAfterMs} ms:\n${output}`);
      const evidence = JSON.parse(read('evidence.json') || '{ "flows": [] }') as { flows: Cell[]; run?: { loss?: Loss; steps?: readonly Step[]; hosts?: readonly { name: string; failure: unknown }[] } };
      return { exitCode: code ?? 128 + constants.signals[killedBy ?? 'SIGKILL'], output, cells: evidence.flows, loss: evidence.run?.loss ?? null, steps: evidence.run?.steps ?? [], blind: evidence.run?.hosts?.flatMap(({ name, failure }) => (failure === null ? [] : [name])) ?? [], junit: read('junit.xml') };
    } finally {
      clearTimeout(timer);
      const kept = keep === null ? null : join(parent, keep);
      rmSync(kept ?? reports, { recursive: true, force: true });
      if (kept !== null) renameSync(reports, kept);
    }
  };
  return { ended: ended(), said: () => output, pids: () => descendantsOf(child.pid), interrupt: () => signal('SIGINT') };
}

export const npmTest = (env: Readonly<Record<string, string>> = {}): Promise<Ran> => typeNpmTest(env).ended;

function childrenOf(pid: number | undefined): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number);
  } catch {
    return []; // it has just ended
  }
}

export const descendantsOf = (pid: number | undefined): readonly number[] => childrenOf(pid).flatMap((child) => [child, ...descendantsOf(child)]);

type Sent = Pick<Cell, 'from' | 'address' | 'proto' | 'port'> & Partial<Pick<Cell, 'sourcePort' | 'by'>>;

/** A cell as the lab knows it: who sends what to which address, from which port and by whom where the cell is about that. */
export const tuple = ({ from, address, proto, port, sourcePort, by }: Sent): string =>
  `${from} ${address} ${proto}/${sourcePort && port >= 40_000 ? 'high' : port}${sourcePort ? ` from ${sourcePort}` : ''}${by ? ` by ${by}` : ''}`;

/** Exactly these cells are red, fail and inconclusive apart; all others passed, and the exit code says so. */
export function expectRed({ cells, exitCode, output, junit }: Ran, red: Readonly<{ fail?: readonly string[]; inconclusive?: readonly string[] }>): void {
  const of = (verdict: string): string[] => cells.filter((cell) => cell.verdict === verdict).map(tuple).toSorted();
  expect(of('fail'), `failed\n${output}`).to.deep.equal([...(red.fail ?? [])].toSorted());
  expect(of('inconclusive'), `inconclusive\n${output}`).to.deep.equal([...(red.inconclusive ?? [])].toSorted());
  expect(cells.length).to.be.greaterThan(1000);
  const tags = (tag: string): number => junit.split(`<${tag} `).length - 1;
  expect({ cases: tags('testcase'), failures: tags('failure'), errors: tags('error') }).to.deep.equal({
    cases: cells.length, failures: red.fail?.length ?? 0, errors: red.inconclusive?.length ?? 0,
  });
  const anyRed = [...(red.fail ?? []), ...(red.inconclusive ?? [])].length > 0;
  expect(exitCode !== 0, `exit code ${exitCode}`).to.equal(anyRed);
}

/** Deletes the one rule of a chain that has these words; none or several are a mistake of the scenario. */
export async function ruleHandle(machine: 'mesh' | 'joi' | 'ntp' | 'gateway', chain: 'input' | 'output' | 'forward', words: string): Promise<string> {
  const listing = await mustRun(machine, ['nft', '-a', 'list', 'chain', 'inet', 'filter', chain]);
  const fitting = listing.split('\n').filter((line) => line.includes(words));
  expect(fitting, `rules of ${machine} ${chain} with "${words}"`).to.have.length(1);
  return /# handle (\d+)/.exec(fitting[0] ?? '')?.[1] ?? '';
}
