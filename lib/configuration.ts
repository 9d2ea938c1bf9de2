// What a host says of its configuration -> what ties the evidence to it, and what its reader should be warned of. Pure.
import { isFailure } from './facts.ts';
import type { Configuration, HostRecord } from './model.ts';

/** What is kept of a line: a host may be in other hands. */
const longestLine = 300;
const mostLines = 200;

/** @param text the prober's fact `configuration`, as lib/prober/README.md describes it; what is malformed is left out, and never read as sound */
export function parseConfiguration(text: string): Configuration {
  const lines = text.split('\n').map((line) => line.trim());
  const after = (word: string): readonly string[] => lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1)).slice(0, mostLines);
  const short = (word: string): readonly string[] => after(word).map((line) => line.slice(0, longestLine));
  const rules = after('rules').find((hash) => /^[0-9a-f]{64}$/.test(hash)) ?? null;
  const [, is = 'unknown', detail = ''] = /^(same|differs|unknown) (.*)$/.exec(short('boot')[0] ?? '') ?? [];
  return {
    sysctls: short('sysctl').map((line) => ({ name: line.split(' ')[0] ?? '', value: line.split(' ').slice(1).join(' ') })),
    rules,
    boot: {
      is: rules !== null && (is === 'same' || is === 'differs') ? is : 'unknown', detail: detail || 'the rules can be read by root alone',
      runningAlone: short('running-alone'), bootAlone: short('boot-alone'),
    },
    certificates: after('certificate').map((line) => ({ file: (line.split(' ')[0] ?? '').slice(0, longestLine), ...certificateOf(line.slice(line.indexOf(' ') + 1)) })),
  };
}

/** `nebula-cert print -json`: an object, or a list of one since certificates have a second version. */
function certificateOf(json: string): Readonly<{ name: string; notAfter: string | null }> {
  try {
    const read: unknown = JSON.parse(json);
    const [certificate] = (Array.isArray(read) ? read : [read]) as readonly unknown[];
    const { name, notAfter } = (certificate as { details: Readonly<Record<string, unknown>> }).details;
    const moment = new Date(typeof notAfter === 'string' ? notAfter : Number.NaN);
    return { name: String(name).slice(0, longestLine), notAfter: Number.isNaN(moment.getTime()) ? null : moment.toISOString() };
  } catch {
    return { name: 'unknown', notAfter: null };
  }
}

const warnedDays = 30;

/** @param today YYYY-MM-DD, UTC */
export function configurationWarnings(hosts: readonly HostRecord[], today: string): readonly string[] {
  return hosts.flatMap(({ name, configuration }) => {
    if (configuration === null) return [];
    if (isFailure(configuration)) return [`its configuration is not in the evidence: ${configuration.cause}`];
    const { boot, certificates } = configuration;
    const loads = boot.detail.startsWith('what the boot loads') ? [`${name}: ${boot.detail}: the next boot may come up without it`] : [];
    return [
      ...(boot.is === 'differs' ? [`${name}: the rules that run are not those that its boot loads (${boot.detail}): ${differences(boot)}`] : loads),
      ...certificates.flatMap(({ file, notAfter }) => {
        const days = notAfter === null ? Number.POSITIVE_INFINITY : Math.floor((Date.parse(notAfter) - Date.parse(today)) / 86_400_000);
        if (days > warnedDays) return [];
        return [`${name}: Nebula's ${file} ${days < 0 ? 'expired' : 'expires'} on ${notAfter?.slice(0, 10)}`];
      }),
    ];
  });
}

function differences({ runningAlone, bootAlone }: Configuration['boot']): string {
  const told = (lines: readonly string[], what: string): readonly string[] => (lines.length === 0 ? [] : [`${lines.length} ${what}, such as "${lines[0]}"`]);
  const parts = [...told(runningAlone, 'run alone'), ...told(bootAlone, 'would come with the boot')];
  return parts.length === 0 ? 'the same lines in another order' : parts.join('; ');
}
