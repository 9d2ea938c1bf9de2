// The whole product against the lab: `npm test` typed at the operator's seat, and its evidence read back.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { mustRun, run } from '../../lab/inside.ts';
import { repository } from '../../lab/up.ts';

/** One entry of evidence.json, as far as the scenarios read it. */
export type Cell = Readonly<{
  id: string; from: string; to: string; address: string | null; network: string; proto: string; port: number; family: string;
  expected: string; row: string; verdict: string; reason: string; grade: string | null; controls: readonly string[];
  outcome: Readonly<{ seen: string }>; note: string | null;
}>;

export type Ran = Readonly<{ exitCode: number; output: string; cells: readonly Cell[]; junit: string }>;

/** Runs `npm test` in the operator's namespaces; the reports go to a folder of their own, removed afterwards. */
export async function npmTest(env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const parent = join(repository, 'reports');
  mkdirSync(parent, { recursive: true });
  const reports = mkdtempSync(join(parent, 'scenario-'));
  try {
    const { stdout, stderr, exitCode } = await run('operator', ['npm', 'test'], { dir: repository, env: { FLOWPROOF_REPORTS: reports, CI: 'true', ...env } });
    const read = (file: string): string => readFileSync(join(reports, 'latest', file), 'utf8');
    return { exitCode, output: stdout + stderr, cells: (JSON.parse(read('evidence.json')) as { flows: Cell[] }).flows, junit: read('junit.xml') };
  } finally {
    rmSync(reports, { recursive: true });
  }
}

/** A cell as the lab knows it: who sends what to which address. */
export const tuple = ({ from, address, proto, port }: Pick<Cell, 'from' | 'address' | 'proto' | 'port'>): string => `${from} ${address} ${proto}/${port}`;

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
