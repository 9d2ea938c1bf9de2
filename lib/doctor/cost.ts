// What a run loses without something: the plans made with and without it, compared cell by cell. Pure.
import type { Discovery, Inventory, Phase, Plan, PlannedFlow } from '../model.ts';
import { makePlan } from '../plan.ts';

/** From the best to the worst: what a cell's silence could rest on, by the plan. */
const levels = ['proven', 'inferred', 'own', 'bare', 'not looked at', 'not tested'] as const;
type Level = (typeof levels)[number];

/**
 * Cells that come out worse. `inferred`: another vantage's answer alone is left; `own`: what only the source's own firewall could
 * prove; `bare`: nothing would, they end inconclusive; `unseen`: not looked at, so inconclusive; `untested`: counted as not tested;
 * `walls`: no longer looked at past the source's own firewall.
 */
export type Cost = Readonly<{ inferred: number; own: number; bare: number; unseen: number; untested: number; walls: number }>;

export type Planning = Readonly<{ inventory: Inventory; phase: Phase }>;

/** The same cells whatever is drawn: tokens go on the wire alone, and these plans never get there. */
export function planOf({ inventory, phase }: Planning, discovery: Discovery): Plan {
  let drawn = 0;
  return makePlan({ inventory, discovery, phase, newToken: () => (++drawn).toString(16).padStart(32, '0') });
}

/** What `poorer` lacks against `richer`. */
export function costOf(planning: Planning, richer: Discovery, poorer: Discovery): Cost {
  const [before, after] = [planOf(planning, richer), planOf(planning, poorer)];
  const then = new Map(after.flows.map((planned) => [planned.flow.id, planned] as const));
  const worse = before.flows.flatMap((planned): Level[] => {
    const now = then.get(planned.flow.id);
    const [was, is] = [levelOf(planned, richer), now === undefined ? 'not tested' : levelOf(now, poorer)];
    return levels.indexOf(is) > levels.indexOf(was) ? [is] : [];
  });
  const walls = before.flows.filter(({ flow, farWall }) => farWall !== null && then.has(flow.id) && then.get(flow.id)?.farWall === null).length;
  return { ...counts(worse), walls };
}

/** What is not looked at, or has nothing to rest on, in a plan as it is; of what could not be planned otherwise. */
export function costNow(plan: Plan, discovery: Discovery, concerns: (planned: PlannedFlow) => boolean): Cost {
  const found = plan.flows.filter(concerns).map((planned) => levelOf(planned, discovery)).filter((level) => level === 'own' || level === 'bare' || level === 'not looked at');
  return { ...counts(found), walls: 0 };
}

function counts(worse: readonly Level[]): Omit<Cost, 'walls'> {
  const of = (level: Level): number => worse.filter((one) => one === level).length;
  return { inferred: of('inferred'), own: of('own'), bare: of('bare'), unseen: of('not looked at'), untested: of('not tested') };
}

function levelOf({ flow, probe, witnesses, listener, nearWall, aliveBy }: PlannedFlow, discovery: Discovery): Level {
  const { look } = probe;
  if (look.by === 'facts') return look.outcome.seen === 'unprobed' ? 'not looked at' : 'proven';
  // Ports below 1024 are root's to send from (DHCP's is one).
  if (look.by === 'exchange' && look.exchange.sourcePort > 0 && look.exchange.sourcePort < 1024 && !discovery.privileged.includes(flow.from)) return 'not looked at';
  if (flow.expected === 'allowed') return 'proven';
  if (look.by === 'sessions' || witnesses.length > 0 || listener !== null) return 'proven';
  if (aliveBy.length > 0) return 'inferred';
  return nearWall !== null || (look.by === 'exchange' && flow.from !== flow.to && discovery.witnesses.includes(flow.from)) ? 'own' : 'bare';
}

/** Whether a run without it can still be green. */
export const isBearable = ({ own, bare, unseen }: Cost): boolean => own + bare + unseen === 0;

/** `812 cells lose their proof (644 may end inconclusive); 72 are not tested`; null: none do. */
export function costInWords({ inferred, own, bare, unseen, untested, walls }: Cost): string | null {
  const lost = inferred + own + bare + unseen;
  const parts = [
    ...(lost === 0 ? [] : [`${cells(lost)} lose${lost === 1 ? 's its' : ' their'} proof (${[
      ...(unseen === 0 ? [] : [`${unseen} inconclusive: not looked at`]),
      ...(bare === 0 ? [] : [`${bare} inconclusive where silent: nothing else would prove it`]),
      ...(own === 0 ? [] : [`${own} inconclusive unless the source's own firewall is what stops them`]),
      ...(inferred === 0 ? [] : [`${inferred} inferred only`]),
    ].join(', ')})`]),
    ...(untested === 0 ? [] : [`${cells(untested)} not tested`]),
    ...(walls === 0 ? [] : [`${cells(walls)} not looked at past the host's own firewall`]),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

const cells = (count: number): string => `${count} cell${count === 1 ? '' : 's'}`;
