// `npm test -- --grep`: a part of the run says of each of its cells what the whole run says, and nothing else is probed.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { typeNpmTest, type Cell, type Ran } from './harness.ts';

const insert = (machine: 'mesh' | 'joi' | 'ntp' | 'gateway', ...rule: readonly string[]): ReturnType<typeof exec> => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', ...rule]);
const part = (...argv: readonly string[]): Promise<Ran> => typeNpmTest({}, null, argv).ended;
const told = ({ id, verdict, grade, expected, outcome, walls }: Cell): string =>
  [id, expected, outcome.seen, verdict, grade, walls?.near.stands, walls?.far.stands].join(' · ');
/** One list at a time, and short: of two long ones mocha shows no difference. */
const apart = (some: readonly Cell[], others: readonly Cell[]): readonly string[] => {
  const there = new Set(others.map(told));
  return some.map(told).filter((one) => !there.has(one));
};

/** What ntp was sent on vmbr1 by TCP but for our logins: its own count. Its services there ask by UDP. */
async function sentToNtp(): Promise<number> {
  const listing = await mustRun('ntp', ['nft', 'list', 'chain', 'inet', 'filter', 'input']);
  return Number(/counter packets (\d+) .*comment "selection"/.exec(listing)?.[1]);
}

describe('a part of the run', () => {
  let whole: Ran;
  before(async () => {
    await insert('joi', 'output', 'tcp dport 443 accept');
    await insert('gateway', 'forward', 'tcp dport 443 accept');
    await insert('ntp', 'input', 'iifname "eth1" tcp dport != 22 counter comment "selection"');
    whole = await part();
  });
  after(() => setPhase('steady'));

  const rows: readonly (readonly [sentence: string, argv: readonly string[], pattern: RegExp, atLeast: number])[] = [
    ['one hole, from its vantage', ['--grep', '^joi -> .*tcp/443$'], /^joi -> .*tcp\/443$/, 10],
    ['one machine, from all others, by all protocols', ['-g', '/-> NTP .*(udp|echo|tcp.2)/i'], /-> ntp .*(udp|echo|tcp.2)/i, 50],
  ];
  for (const [sentence, argv, pattern, atLeast] of rows)
    it(`has the verdicts of the whole: ${sentence}`, async () => {
      const ran = await part(...argv);
      const cells = whole.cells.filter(({ id }) => pattern.test(id));
      expect(cells).to.have.length.greaterThan(atLeast);
      expect(apart(ran.cells, cells), `the part alone says\n${ran.output}`).to.deep.equal([]);
      expect(apart(cells, ran.cells), `the whole alone says\n${ran.output}`).to.deep.equal([]);
      expect(ran.cells).to.have.length(cells.length);
      expect(ran.exitCode).to.equal(cells.every(({ verdict }) => verdict === 'pass') ? 0 : 1);
      expect(ran.output).to.include(`A PART of the matrix: the ${cells.length} cells that --grep ${argv[1]} selects`).and.match(new RegExp(`^exit code ${ran.exitCode}$`, 'm'));
      expect(ran.junit.split('<testcase ').length - 1).to.equal(cells.length);
      expect(ran.junit).to.include('<property name="selection" value="--grep ');
    });

  it('the whole tells each cause once, with what to look at', () => {
    const fails = whole.output.split('\n').filter((line) => line.startsWith('FAIL: joi'));
    expect(fails, whole.output).to.have.length(1);
    expect(fails[0]).to.match(/^FAIL: joi -> internet tcp\/443 is open \(\d+ cells\)$/);
    expect(whole.output).to.match(/ expected +denied: row "joi-any-wan" is TEMP, phase is steady.*\n +seen +joi -> .* tcp\/443: REACHED \S+ in [\d.]+ ms: TCP handshake\n +way +it left joi by eth0 and came through gateway\n.*\n +next +look at gateway's forward chain and joi's output chain\n/);
    expect(whole.output).to.match(/^joi -> internet: \d+ looks made$/m);
  });

  it('a pattern that selects nothing is the caller\'s mistake, and no cell is probed', async () => {
    const before = await sentToNtp();
    expect(before, 'the whole run was counted').to.be.greaterThan(20);
    const ran = await part('--grep', 'joi -> nowhere');
    expect(ran.exitCode, ran.output).to.equal(2);
    expect(ran.output).to.match(/--grep joi -> nowhere selects no cell: no cell was probed/);
    expect(ran.cells).to.deep.equal([]);
    expect(ran.junit).to.include('errors="1"');
    expect(await sentToNtp()).to.equal(before);
  });
  it('a pattern that is none is, too', async () => {
    const ran = await part('--grep', '(');
    expect(ran.exitCode, ran.output).to.equal(2);
    expect(ran.output).to.match(/--grep: Invalid regular expression.*Nothing was sent/);
  });
});
