// Lost packets, found out and made up for: single packets on flows that answer measure the loss; where there is one, looks
// that its silence could explain are made again with as many tries as it takes.
import { countTries, inDoubt, isRepeatable, joined, lossOf, lostInDoubt, roundTripsOf, roundTripsWanted, singlePacket, together, withTries, type RoundTrips } from './loss.ts';
import type { Exchange, Finding, Loss, Observation, Plan, Probe } from './model.ts';
import type { Vantage } from './vantage.ts';

type Observations = ReadonlyMap<string, Observation>;

/** At once, a vantage: a burst would be a load of its own. */
const atOnce = 25;

/**
 * What the looks at allowed flows say already, and so many round trips more as are wanted of each vantage. The controls'
 * looks are too few tries each: of those, the lucky ones alone are answered.
 */
export async function measureLoss({ flows, controls }: Plan, observations: Observations, vantages: ReadonlyMap<string, Vantage>): Promise<Loss> {
  const probes = [...flows.map(({ probe }) => probe), ...controls];
  const byVantage = await Promise.all([...vantages].map(async ([host, vantage]) => {
    const own = probes.filter((probe) => probe.vantage === host && probe.flow.expected === 'allowed' && probe.flow.to !== host);
    const told = own.filter((probe) => !controls.includes(probe)).map((probe) => {
      const observation = observations.get(probe.id);
      return observation === undefined ? { asked: 0, missed: 0 } : roundTripsOf(probe, observation);
    });
    const exchanges = own.flatMap(({ look, ...probe }) => (look.by === 'exchange' && isRepeatable({ ...probe, look }, observations.get(probe.id)) ? [singlePacket(look.exchange)] : []));
    return [host, together([...told, ...(await ask(vantage, exchanges, roundTripsWanted - together(told).asked))])] as const;
  }));
  return lossOf(new Map(byVantage));
}

async function ask(vantage: Vantage, exchanges: readonly Exchange[], wanted: number): Promise<readonly RoundTrips[]> {
  const asked: RoundTrips[] = [];
  const line = async (): Promise<void> => {
    for (;;) {
      const exchange = exchanges[asked.length % Math.max(1, exchanges.length)];
      if (exchange === undefined || asked.length >= wanted) return;
      const place = asked.push({ asked: 0, missed: 0 }) - 1;
      const { replies, failure } = await vantage.exchange(exchange);
      if (failure !== null) return;
      asked[place] = { asked: 1, missed: replies.some(({ event }) => event === 'data' || event === 'connected') ? 0 : 1 };
    }
  };
  await Promise.all(Array.from({ length: atOnce }, line));
  return asked;
}

type Doubt = Readonly<{ plan: Plan; loss: Loss; observations: Observations; findings: readonly Finding[]; look: (probe: Probe) => Promise<Observation> }>;

/** Frames after all others, as before: what answers them would reach a user's look from the same port. */
export async function askAgain({ plan, loss, observations, findings, look }: Doubt): Promise<Readonly<{ observations: Map<string, Observation>; loss: Loss }>> {
  const after = new Map(observations);
  const { tries } = loss;
  if (tries === 0) return { observations: after, loss };
  const doubted = inDoubt(plan, findings, observations);
  const again: Observation[] = [];
  const settle = async (probe: Probe): Promise<void> => {
    const first = observations.get(probe.id);
    if (first === undefined) return;
    if (tries === null) return void after.set(probe.id, lostInDoubt(first, loss));
    const second = await look(withTries(probe, tries));
    again.push(second);
    after.set(probe.id, joined(first, second));
  };
  await Promise.all(doubted.filter((probe) => probe.look.by !== 'frame').map(settle));
  await Promise.all(doubted.filter((probe) => probe.look.by === 'frame').map(settle));
  return { observations: after, loss: { ...loss, extraTries: countTries(again) } };
}
