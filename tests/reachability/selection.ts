// Which cells this run is about: mocha's own --grep, --fgrep and --invert, asked of cell ids.
import { createRequire } from 'node:module';
import Mocha from 'mocha';
import type { Selection } from '../../lib/select.ts';

/** mocha's reading of its command line, MOCHA_OPTIONS and .mocharc.cjs. */
const { loadOptions } = createRequire(import.meta.url)('mocha/lib/cli/options.cjs') as { loadOptions: (argv: readonly string[]) => Readonly<Record<string, unknown>> };

/** @returns null: no pattern was given, so all cells */
export function selectionOf(argv: readonly string[]): Selection | null {
  const given = loadOptions(argv);
  const texts = (name: string): string | undefined => (typeof given[name] === 'string' && given[name] !== '' ? given[name] : undefined);
  const [pattern, fixed, invert] = [texts('grep'), texts('fgrep'), given.invert === true];
  if (pattern === undefined && fixed === undefined) return null;
  const { grep } = new Mocha({ ...(pattern === undefined ? {} : { grep: pattern }), ...(fixed === undefined ? {} : { fgrep: fixed }) }).options as { grep: RegExp };
  const stateless = new RegExp(grep.source, grep.flags.replaceAll(/[gy]/g, ''));
  const name = `${fixed === undefined ? `--grep ${pattern}` : `--fgrep ${fixed}`}${invert ? ' --invert' : ''}`;
  return { name, takes: ({ id }) => stateless.test(id) !== invert };
}
