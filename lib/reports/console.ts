// RunRecord -> what the operator reads at the terminal when the run is over. Pure.
import type { RunRecord } from '../model.ts';
import { causesOf, type Cause } from './causes.ts';
import { grid } from './cells.ts';
import { clockLine, familiesLine, lossLine, partOf, sumsLine } from './summary.ts';
import { takeoverLines } from './takeover.ts';
import { waiverLines } from './waivers.ts';
import { list } from './words.ts';

type Tone = 'red' | 'yellow' | 'green' | 'bold';
type Line = Readonly<{ text: string; tone?: Tone }>;
/** Colours a line that is harmless already. */
export type Paint = (tone: Tone, text: string) => string;

/** Cells named of one cause; the rest is in the reports. */
const shownOfACause = 5;

/** The matrix as counts, then what is wrong, each cause once, then the sums. Without `paint` it is plain text. */
export function renderConsole(record: RunRecord, paint: Paint = (_tone, text) => text): string {
  return linesOf(record).map(({ text, tone }) => (tone === undefined ? printable(text) : paint(tone, printable(text)))).join('\n');
}

function linesOf(record: RunRecord): readonly Line[] {
  const { run } = record;
  const part = partOf(record);
  const causes = causesOf(record);
  const plain = (texts: readonly string[]): readonly Line[] => texts.map((text) => ({ text }));
  return [
    ...run.warnings.map((warning): Line => ({ text: `warning: ${warning}`, tone: 'yellow' })),
    ...(run.stopped === null ? [] : [{ text: `stopped: ${run.stopped}`, tone: 'red' as const }, { text: '' }]),
    ...(part === null ? [] : [{ text: part, tone: 'yellow' as const }, { text: '' }]),
    ...grid(record).map((text, index): Line => (index === 0 ? { text, tone: 'bold' } : text.includes('!') ? { text, tone: 'red' } : { text })),
    { text: '' },
    ...run.hosts.flatMap(({ name, failure }): readonly Line[] => (failure === null || run.stopped !== null ? [] : [{ text: `no look from ${name}: ${failure.cause}`, tone: 'yellow' }])),
    ...run.hosts.flatMap(({ name, prober }): readonly Line[] => (prober === null || prober.endsWith(' as root') || name === 'operator' ? [] : [{ text: `no root on ${name}: ${withoutRoot}`, tone: 'yellow' }])),
    ...causes.flatMap(causeLines),
    ...plain(waiverLines(record)),
    ...plain(lossLine(record)),
    ...plain([familiesLine(record)]),
    ...plain((part === null ? run.gaps : []).map(({ reason, cells, example }) => `not tested: ${cells} cells, as ${example}: ${reason}`)),
    ...plain([clockLine(record)]),
    { text: sumsLine(record), tone: causes.some(({ result }) => result === 'fail') ? 'red' : causes.some(({ result }) => result === 'inconclusive') ? 'yellow' : 'green' },
    ...plain(takeoverLines(record)),
  ];
}

/** Said of a login that is not root's and whose sudo asks for a password. */
const withoutRoot = 'ports below 1024, ICMP and its witnesses are out of reach; let sudo run without a password there (NOPASSWD), or log in as root';

const words = { fail: 'FAIL', inconclusive: 'COULD NOT TELL', waived: 'WAIVED' } as const;
const tones = { fail: 'red', inconclusive: 'yellow', waived: 'bold' } as const;

function causeLines({ result, title, expected, seen, way, proof, next, cells }: Cause): readonly Line[] {
  const details = Object.entries({ expected, seen, way, proof, next, ...(cells.length === 1 ? {} : { cells: list(cells.map(({ flow }) => flow.id), shownOfACause) }) });
  return [
    { text: `${words[result]}: ${title}${cells.length === 1 ? '' : ` (${cells.length} cells)`}`, tone: tones[result] },
    ...details.map(([name, text]) => ({ text: `    ${name.padEnd(8)}  ${text}` })),
    { text: '' },
  ];
}

/** Text from elsewhere must not move the cursor, colour the terminal, turn its direction, or hide: a line of it stays one line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '\uFFFD');
}
