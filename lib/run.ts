// The conductor: enters the hosts, plans, looks at everything at once, judges. The only file that joins the rest; a probe
// never makes it throw.
import { randomBytes, randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { backingFor, type Heard, type Tracked } from './backing.ts';
import { isFailure, operator } from './destinations.ts';
import { enterAll, type Entered } from './enter.ts';
import { judge } from './judge.ts';
import { configWarnings } from './login.ts';
import type { Discovery, Failure, Finding, Inventory, Observation, Outcome, Phase, Plan, Probe, RunRecord } from './model.ts';
import { readOutcome } from './outcome.ts';
import { makePlan } from './plan.ts';
import { askThroughRelay } from './relay.ts';
import { resolveNames } from './resolve.ts';
import { startListening } from './listen.ts';
import { startTracking } from './track.ts';
import type { Vantage } from './vantage.ts';

export type Run = Readonly<{
  plan: Plan;
  /** Always resolves: with a finding for each planned flow, also when the run is interrupted. */
  record: Promise<RunRecord>;
  /** Ends the run before its time: what is not looked at yet stays so and says why. */
  interrupt: (cause: string) => void;
}>;

export type RunOptions = Readonly<{ inventory: Inventory; phase: Phase; inventoryHash: string; version: string }>;

/** Enters the hosts and plans; the probes are under way when it resolves. */
export async function startRun({ inventory, phase, inventoryHash, version }: RunOptions): Promise<Run> {
  const startedAt = new Date().toISOString();
  const newToken = (): string => randomBytes(16).toString('hex');
  const entered = await enterAll(inventory);
  const vantages = new Map(entered.flatMap(({ host, vantage }) => (vantage === null ? [] : [[host, vantage] as const])));
  const hosts = Object.fromEntries(entered.map(({ host, facts }) => [host, facts]));
  const witnesses = entered.filter(({ witness }) => witness).map(({ host }) => host);
  const listeners = entered.filter(({ vantage }) => vantage?.kind === 'python' && vantage.root).map(({ host }) => host);
  const discovery: Discovery = { hosts, witnesses, listeners, names: await resolveNames({ inventory, phase, newToken }, hosts, vantages) };
  const plan = makePlan({ inventory, discovery, phase, newToken });

  let stopped: string | null = entered.map(({ facts }) => facts).find((facts): facts is Failure => isFailure(facts) && facts.operation === 'known-hosts')?.cause ?? null;
  const interrupt = (cause: string): void => {
    stopped ??= cause;
    leave(entered);
  };
  const observe = async (): Promise<RunRecord> => {
    const listening = await startListening({ listeners: plan.listeners, hosts, newToken }, vantages);
    const tracking = await startTracking(discovery, vantages);
    const probes = [...plan.flows.map(({ probe }) => probe), ...plan.controls];
    const looked = await Promise.all(probes.map((probe) => look(probe, entered, vantages, () => stopped)));
    const tracked = await tracking.finish();
    const heard = await listening.finish();
    leave(entered);
    const observations = new Map(looked.map((observation) => [observation.id, observation]));
    return {
      schema: 1,
      run: {
        id: randomUUID(), phase, startedAt, endedAt: new Date().toISOString(), inventoryHash, version, node: process.version,
        hosts: entered.map(({ host, vantage, session, facts }) => ({
          name: host,
          prober: vantage === null ? null : `${vantage.kind}${vantage.root ? ' as root' : ''}`,
          hostKey: session?.hostKey ?? null,
          failure: isFailure(facts) ? facts : null,
          facts: isFailure(facts) ? null : facts,
        })),
        universe: plan.universe, gaps: plan.gaps, stopped, warnings: configWarnings(),
      },
      controls: plan.controls.flatMap(({ id }) => observations.get(id) ?? []),
      findings: findings({ inventory, discovery, plan, entered, observations, tracked, heard }),
    };
  };
  return { plan, interrupt, record: observe() };
}

function findings(seen: Readonly<{ inventory: Inventory; discovery: Discovery; plan: Plan; entered: readonly Entered[]; observations: ReadonlyMap<string, Observation>; tracked: ReadonlyMap<string, Tracked>; heard: ReadonlyMap<string, Heard> }>): readonly Finding[] {
  const sessions = new Map(seen.entered.flatMap(({ host, login }) => (login?.outcome.seen === 'answered' && login.address !== null ? [[host, login.address] as const] : [])));
  const backing = backingFor({ ...seen, sessions });
  return seen.plan.flows.map((planned) => {
    const observation = seen.observations.get(planned.flow.id) ?? never(planned.probe);
    const behind = backing(planned);
    return { flow: planned.flow, observation, backing: behind, verdict: judge(planned.flow, observation.outcome, behind) };
  });
}

function never(probe: Probe): Observation {
  return observationOf(probe, Date.now(), { seen: 'unprobed', failure: { operation: 'exchange', cause: 'no observation was made' } });
}

function observationOf({ id, vantage }: Probe, beganMs: number, outcome: Outcome, replies: Observation['replies'] = [], note?: string): Observation {
  return { id, vantage, startedAt: new Date(beganMs).toISOString(), durationMs: Date.now() - beganMs, outcome, replies, ...(note === undefined ? {} : { note }) };
}

/** One look, whatever way the plan says. */
async function look(probe: Probe, entered: readonly Entered[], vantages: ReadonlyMap<string, Vantage>, stopped: () => string | null): Promise<Observation> {
  const began = Date.now();
  const { flow, token } = probe;
  if (probe.look.by === 'facts') return observationOf(probe, began, probe.look.outcome);
  if (probe.look.by === 'login') return loginObservation(probe, entered);
  const vantage = vantages.get(probe.vantage);
  const { exchange } = probe.look;
  if (vantage === undefined) return observationOf(probe, began, { seen: 'unprobed', failure: { operation: 'start-prober', cause: `no prober on ${probe.vantage}` } });
  try {
    const { replies, failure } = await vantage.exchange(exchange);
    const cause = stopped();
    const why: Failure | null = failure !== null && cause !== null ? { operation: 'interrupted', cause } : failure;
    const outcome = readOutcome({ flow, address: exchange.address, token, send: exchange.send, hasFamily: hasFamilyOf(entered, probe.vantage, exchange.address) }, replies, why);
    // A denied server that answers needs no second opinion.
    const note = flow.protocol === 'ntp' && flow.expected === 'allowed' && flow.from !== operator ? await askThroughRelay(vantage, exchange) : undefined;
    return observationOf(probe, began, outcome, replies, note);
  } catch (error) {
    return observationOf(probe, began, { seen: 'unprobed', failure: { operation: 'exchange', cause: `flowproof's own fault: ${(error as Error).message}` } });
  }
}

function hasFamilyOf(entered: readonly Entered[], host: string, address: string): boolean {
  const facts = entered.find((one) => one.host === host)?.facts;
  const family = isIP(address.split('%')[0] ?? '');
  return facts === undefined || isFailure(facts) || facts.addresses.some((own) => own.scope !== 'host' && isIP(own.address) === family);
}

/** Our login is the probe of the rows for SSH: from the operator to the gateway, and from the gateway into each host. */
function loginObservation(probe: Probe, entered: readonly Entered[]): Observation {
  const login = entered.find(({ host }) => host === probe.flow.to)?.login;
  const unprobed = (cause: string): Observation => observationOf(probe, Date.now(), { seen: 'unprobed', failure: { operation: 'login', cause } });
  if (login === undefined || login === null) return unprobed(`there was no login to ${probe.flow.to}`);
  if (probe.flow.from !== operator && login.address !== probe.flow.address)
    return unprobed(`our login to ${probe.flow.to} goes to ${login.address ?? 'a name'}, not to ${probe.flow.address ?? 'a known address'}: set HostName in the ssh config`);
  return { ...observationOf(probe, Date.now(), login.outcome), startedAt: login.startedAt, durationMs: login.durationMs };
}

function leave(entered: readonly Entered[]): void {
  for (const { vantage, session } of entered) {
    vantage?.close();
    session?.end();
  }
}
