// What the operator reads: counts from machine to machine, each cause once, and no escape that somebody else wrote.
import { expect } from 'chai';
import type { Finding, Grade, RunRecord, Verdict } from '../../../lib/model.ts';
import { printable, renderConsole } from '../../../lib/reports/console.ts';
import { exitCodeOf } from '../../../lib/reports/summary.ts';
import { aFinding, aRecord, passed, reached, untold } from '../../fixtures/flows.ts';

const many = (count: number): readonly Finding[] => Array.from({ length: count }, (_none, index) => aFinding(`joi -> ntp vmbr1 tcp/${index + 1}`, untold));
const lines = (findings: readonly Finding[], over: Parameters<typeof aRecord>[1] = {}): readonly string[] => renderConsole(aRecord(findings, over)).split('\n');

describe('console: the grid', () => {
  const grid = lines([
    aFinding('joi -> ntp vmbr1 tcp/25', passed), aFinding('joi -> ntp vmbr1 tcp/26', reached), aFinding('joi -> 1.1.1.1 tcp/443', passed, { to: '1.1.1.1' }),
    aFinding('ntp -> joi vmbr1 tcp/25', passed, { from: 'ntp', to: 'joi' }),
  ]);
  const cell = (row: number): readonly string[] => (grid[row] ?? '').trim().split(/ {2,}/);

  it('has one column for all machines where there are too many for a terminal', () => {
    const names = Array.from({ length: 30 }, (_none, index) => `vm${index}`);
    const [head, row, ...rest] = renderConsole(aRecord(names.flatMap((from) => [...names.filter((to) => to !== from).map((to) => aFinding(`${from} -> ${to} tcp/1`, passed, { from, to })), aFinding(`${from} -> x tcp/1`, passed, { from, to: 'x' })]))).split('\n');
    expect(head?.trim().split(/ {2,}/)).to.deep.equal(['from \\ to', 'machines', 'internet']);
    expect(row?.trim().split(/ {2,}/)).to.deep.equal(['vm0', '29 ok', '1 ok']);
    expect(rest[28]?.startsWith('vm29 ')).to.equal(true);
  });
  it('has a column for each vantage and one for the internet', () => expect(cell(0)).to.deep.equal(['from \\ to', 'joi', 'ntp', 'internet']));
  it('says how many passed, and marks where not all did', () => expect(cell(1)).to.deep.equal(['joi', '·', '1/2 !', '1 ok']));
  it('has a dot where there is nothing to test', () => expect(cell(2)).to.deep.equal(['ntp', '1 ok', '·', '·']));
});

describe('console: what is wrong', () => {
  it('a violation is told with its flow and its row', () => expect(lines([aFinding('joi -> ntp vmbr1 tcp/26', reached)])).to.include.members([
    'FAIL: joi -> ntp tcp/25 is open', '    expected  denied: no row of the matrix allows it', '    seen      joi -> ntp vmbr1 tcp/26: REACHED 172.22.22.3: TCP handshake',
    '    way       it left joi by eth0 and came straight to ntp', '    next      look at ntp\'s input chain, then at joi\'s output chain',
  ]));
  it('what could not be told is told apart', () => expect(lines(many(1))).to.include('COULD NOT TELL: from joi: could not look (login): no way in'));
  it('the same cause is told once, with five of its flows and the number of the rest', () => {
    const told = lines(many(12));
    expect(told.filter((line) => line.startsWith('COULD NOT TELL'))).to.have.length(1);
    expect(told).to.include('COULD NOT TELL: from joi: could not look (login): no way in (12 cells)');
    expect(told.find((line) => line.startsWith('    cells '))).to.equal(`    cells     ${[1, 2, 3, 4, 5].map((port) => `joi -> ntp vmbr1 tcp/${port}`).join(', ')} and 7 more`);
  });
  it('another vantage\'s is another cause', () => expect(lines([...many(1), aFinding('ntp -> joi vmbr1 tcp/1', untold, { from: 'ntp', to: 'joi' })]).filter((line) => line.startsWith('COULD NOT TELL'))).to.have.length(2));
  it('nothing is told of what passed', () => expect(lines([aFinding('joi -> ntp vmbr1 tcp/25', passed)]).join()).to.not.match(/FAIL|COULD NOT/));
  it('a host that could not be entered is told with its cause', () => {
    const [host] = aRecord([]).run.hosts;
    expect(host && lines(many(1), { hosts: [{ ...host, name: 'ntp', failure: { operation: 'login', cause: 'no key of ours' } }] })).to.include('no look from ntp: no key of ours');
  });
  it('a run that was stopped says so', () => expect(lines([], { stopped: 'stopped by SIGINT' })).to.include('stopped: stopped by SIGINT'));
});

describe('console: lost packets', () => {
  const told = (loss: Partial<RunRecord['run']['loss']>): string | undefined => lines([], { loss: { roundTrips: 200, missed: 72, atMost: 0.5, tries: 20, extraTries: 4000, ...loss } }).find((line) => line.startsWith('packets are lost'));
  it('are told with the tries that were made for it', () => expect(told({})).to.equal('packets are lost: 36.0 % of 200 round trips on flows that answer (up to 50 % one way); 4000 tries were made for it, 20 for each silent look'));
  it('are told where no tries would do', () => expect(told({ tries: null, extraTries: 0 })).to.match(/; silence tells nothing at that$/));
  it('are not told where there are none', () => expect(told({ missed: 0, tries: 0 })).to.equal(undefined));
});

describe('console: the sums', () => {
  it('tell the grades, the failures and the gaps apart', () => {
    const graded = (grade: Grade): Verdict => ({ result: 'pass', reason: 'blocked', grade, controls: [] });
    const findings = [aFinding('a', graded('proven')), aFinding('b', graded('inferred')), aFinding('c', graded('no path')), aFinding('d', reached), aFinding('e', untold)];
    expect(lines(findings, { universe: 8, gaps: [{ reason: 'not known to serve', cells: 3, example: 'f' }] }).slice(-3)).to.deep.equal([
      'not tested: 3 cells, as f: not known to serve',
      'clock: compared with no time server, as no allowed NTP flow answered',
      'phase steady: 5 of 8 cells: pass 3 (1 proven, 1 inferred, 1 no path), fail 1, inconclusive 1, waived 0',
    ]);
  });
  it('say how many cells each family has', () => {
    const findings = [aFinding('a', passed, { family: 'row' }), aFinding('b', passed, { family: 'icmp' }), aFinding('c', passed, { family: 'row' })];
    expect(lines(findings)).to.include('cells by family: row 2, icmp 1');
  });
});

describe('console: waivers', () => {
  const waiver = { cells: 'joi -> *', reason: 'the switch', acceptedBy: 'A. Person', until: '2026-12-31' };
  const use = (over: Partial<RunRecord['run']['waivers'][number]>): RunRecord['run']['waivers'][number] => ({ ...waiver, state: 'waives', cellCount: 9, violations: Array.from({ length: 7 }, (_none, index) => `joi -> ntp vmbr1 tcp/${index + 1}`), ...over });
  it('that waive are told among the causes', () => expect(lines([], { waivers: [use({})] }).join()).to.not.include('WAIVE'));
  const states: readonly (readonly [Parameters<typeof use>[0], RegExp])[] = [
    [{ state: 'stale', violations: [], cellCount: 2 }, /^STALE WAIVER: "joi -> \*" has no violation any more, all its cells \(2\) pass: take it out/],
    [{ state: 'unsettled', violations: [] }, /^WAIVER NOT NEEDED, OR NOT TOLD: none of the cells \(9\) of "joi -> \*" fails, but some/],
    [{ state: 'expired' }, /^EXPIRED WAIVER: "joi -> \*": 7 of 9 cells fail again \(waived until 2026-12-31, /],
    [{ state: 'expired', violations: [] }, /^EXPIRED WAIVER: "joi -> \*": nothing there fails: take it out/],
    [{ state: 'unknown', violations: [], cellCount: 0 }, /^WAIVER OF NOTHING: this run has no cell "joi -> \*": mend its spelling/],
  ];
  for (const [over, words] of states) it(`${over.state}${over.violations === undefined ? ', with violations' : ''}: that is said`, () => expect(lines([], { waivers: [use(over)] }).filter((line) => words.test(line))).to.have.length(1));
});

describe('console: a part of the run', () => {
  const part = lines([aFinding('joi -> ntp vmbr1 tcp/25', passed)], { selection: '--grep tcp/25', universe: 5253, gaps: [{ reason: 'elsewhere', cells: 3, example: 'f' }], confined: ['mesh'] });
  it('says so before the grid, and how much of it', () => expect(part[0]).to.equal('A PART of the matrix: the 1 cells that --grep tcp/25 selects; nothing is said of the others'));
  it('says nothing of gaps and hosts that it leaves out', () => expect(part.join()).to.not.match(/not tested|taken over/));
  it('is not said of a whole run', () => expect(lines([]).join()).to.not.match(/A PART/));
});

describe('console: what is waived', () => {
  const waiver = { cells: '*', reason: 'the old pump', acceptedBy: 'anna', until: '2027-01-31' };
  const told = lines([{ ...aFinding('joi -> ntp vmbr1 tcp/25', reached), waiver }, aFinding('joi -> ntp vmbr1 tcp/26', passed)]);
  it('is no failure in the grid and the sums', () => {
    expect(told[1]).to.match(/1 ok, 1 waived/);
    expect(told.at(-1)).to.match(/pass 1 .* fail 0, inconclusive 0, waived 1$/);
  });
  it('is told with what was seen', () => expect(told.join('\n')).to.match(/WAIVED: \*: waived until 2027-01-31 by anna: the old pump\n.*\n +seen +joi -> ntp vmbr1 tcp\/25: REACHED/));
});

describe('console: colours', () => {
  const marked = renderConsole(aRecord([aFinding('joi -> ntp vmbr1 tcp/25', { ...reached, reason: 'reached: \u001b[31mhi' })]), (tone, text) => `<${tone}>${text}</${tone}>`);
  it('are for the lines that count, and none is anybody else\'s', () => {
    expect(marked).to.include('<red>FAIL: joi -> ntp tcp/25 is open</red>');
    expect(marked).to.match(/<red>phase steady: .*<\/red>/);
    expect(marked).to.not.include('\u001b');
  });
});

describe('console: the exit code', () => {
  const waiver = { cells: '*', reason: 'r', acceptedBy: 'a', until: '2027-01-31' };
  const rows: readonly (readonly [sentence: string, record: RunRecord, code: number])[] = [
    ['of a run in which all passed is 0', aRecord([aFinding('a', passed)]), 0], ['of a violation is 1', aRecord([aFinding('a', passed), aFinding('b', reached)]), 1],
    ['of what could not be told is 1', aRecord([aFinding('a', untold)]), 1], ['of a waived violation is 0', aRecord([{ ...aFinding('a', reached), waiver }]), 0],
    ['of a run that was stopped is 1', aRecord([aFinding('a', passed)], { stopped: 'by hand' }), 1], ['of no cell at all is 1', aRecord([]), 1],
  ];
  for (const [sentence, record, code] of rows) it(sentence, () => expect(exitCodeOf(record)).to.equal(code));
});

describe('console: what others have said', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['\u001b[2Jgone', '\uFFFD[2Jgone'], ['bell\u0007', 'bell\uFFFD'], ['two\nlines\r', 'two\uFFFDlines\uFFFD'], ['\u009b31m', '\uFFFD31m'], ['back\u0008\u007f', 'back\uFFFD\uFFFD'],
    ['right to left \u202e', 'right to left \uFFFD'], ['arabic letter mark \u061c', 'arabic letter mark \uFFFD'], ['no width \u200b\ufeff', 'no width \uFFFD\uFFFD'], ['line \u2028', 'line \uFFFD'], ['half \ud83d', 'half \uFFFD'], ['not assigned \u2065 and filler \u3164', 'not assigned \uFFFD and filler \uFFFD'],
    ['plain ü 🔥', 'plain ü 🔥'],
  ];
  for (const [text, shown] of rows) it(`${JSON.stringify(text)} is shown as ${shown}`, () => expect(printable(text)).to.equal(shown));

  const escape = '\u001b]0;owned\u0007';
  const [host] = aRecord([]).run.hosts;
  const told: readonly (readonly [string, string])[] = [
    ['a verdict', renderConsole(aRecord([aFinding('joi -> ntp vmbr1 tcp/26', { ...reached, reason: escape })]))],
    ['a host\'s failure', renderConsole(aRecord([], host === undefined ? {} : { hosts: [{ ...host, failure: { operation: 'login', cause: escape } }] }))],
    ['what stopped the run', renderConsole(aRecord([], { stopped: escape }))],
    ['a flow', renderConsole(aRecord([aFinding(`joi -> ${escape} tcp/26`, reached)]))],
    ['a gap', renderConsole(aRecord([], { gaps: [{ reason: escape, cells: 1, example: escape }] }))],
    ['a waiver', renderConsole(aRecord([], { waivers: [{ cells: escape, reason: escape, acceptedBy: escape, until: escape, state: 'stale', cellCount: 0, violations: [] }] }))],
    ['a warning', renderConsole(aRecord([], { warnings: [escape] }))],
  ];
  for (const [sentence, text] of told)
    // eslint-disable-next-line no-control-regex -- control characters are what this is about
    it(`no escape comes through by ${sentence}`, () => expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/));
});
