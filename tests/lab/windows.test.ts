// The decision window in the lab: made of the round trips that the same run has measured, and longer where a cable is longer. Nothing here
// depends on how fast the machine is: figures of one run are held to each other, and a cable's delay is never less than it was laid with.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { lengthen } from '../../lab/delay.ts';
import { repository } from '../../lab/up.ts';
import { readEvidence, type Evidence } from '../../lib/bundle/evidence.ts';
import type { Probe, RunRecord, Window } from '../../lib/model.ts';
import { rejudge } from '../../lib/rejudge.ts';
import { shipped, typeNpmTest, type Ran } from './harness.ts';

/** Each way. */
const cableMs = 150;
/** Room for round trips that are measured on a machine with other work, too. */
const ceilingMs = 3_000;
const floorMs = 200;

type Run = Readonly<{ ran: Ran; evidence: Evidence; windows: readonly Window[] }>;

describe('the decision window', () => {
  const reports = join(repository, 'reports');
  mkdirSync(reports, { recursive: true });
  const scratch = mkdtempSync(join(reports, 'windows-'));
  after(() => rmSync(scratch, { recursive: true, force: true }));

  /** The shipped site with two ports to watch, and a high ceiling. */
  const inventory = join(scratch, 'inventory.json');
  const take = async (name: string): Promise<Run> => {
    const ran = await typeNpmTest({ FLOWPROOF_INVENTORY: inventory }, `${basename(scratch)}/${name}`).ended;
    const folder = readdirSync(join(scratch, name)).find((one) => one.endsWith('Z')) ?? '';
    const evidence = readEvidence(readFileSync(join(scratch, name, folder, 'evidence.json'), 'utf8'), name);
    return { ran, evidence, windows: (evidence.file['run'] as RunRecord['run']).windows ?? [] };
  };
  let [usual, far]: [Run | null, Run | null] = [null, null];
  before(async () => {
    const site = JSON.parse(readFileSync(shipped.FLOWPROOF_INVENTORY, 'utf8')) as { matrix: { document: string }; site: { watch: unknown; timing: { denied: unknown } } };
    site.site.watch = { tcp: [9090], udp: [5353] };
    site.site.timing.denied = { attempts: 3, intervalMs: 150, windowMs: ceilingMs, floorMs };
    site.matrix.document = join(repository, site.matrix.document);
    writeFileSync(inventory, JSON.stringify(site));
    usual = await take('usual');
    const shorten = await lengthen('ntp', 'eth1', cableMs);
    try {
      far = await take('far');
    } finally {
      await shorten();
    }
  });
  const taken = (run: Run | null): Run => run ?? expect.fail('there was no run');
  const made = (roundTripMs: number | null): number => (roundTripMs === null ? ceilingMs : Math.min(ceilingMs, Math.max(floorMs, 3 * roundTripMs)));
  const windowOf = ({ look }: Probe): number | null => (look.by === 'exchange' ? look.exchange.windowMs : look.by === 'frame' ? look.frame.windowMs : null);

  for (const [name, of] of [['usual cables', () => taken(usual)], ['a longer one', () => taken(far)]] as const)
    it(`is, with ${name}, what the run's own round trips make it, of denied handshakes alone`, () => {
      const { ran, evidence, windows } = of();
      expect(windows.length, ran.output).to.be.greaterThan(0);
      expect(windows.filter(({ roundTripMs, windowMs }) => windowMs !== made(roundTripMs))).to.deep.equal([]);
      // Whom nobody could ask is an external target that is not the beacon's; whom nobody knows the way of, an overlay's.
      const unmeasured = windows.filter(({ roundTripMs }) => roundTripMs === null);
      expect(unmeasured.filter(({ to, network }) => to !== null && network !== 'nebula')).to.deep.equal([]);
      for (const [from, to] of [['joi', 'ntp'], ['ntp', 'joi'], ['ntp', 'gateway'], ['mesh', 'ntp'], ['gateway', 'internet'], ['joi', 'internet'], ['operator', 'ntp']] as const)
        expect(windows.filter((one) => one.from === from && one.to === to && one.roundTripMs !== null), `${from} -> ${to}`).to.have.length.greaterThan(0);

      const { plan } = evidence.account;
      const looks = plan.flows.filter(({ flow, probe }) => flow.expected === 'denied' && probe.look.by === 'exchange');
      const handshakes = looks.filter(({ flow }) => flow.transport === 'tcp');
      const wrong = handshakes.filter(({ flow, probe }) => !windows.some((one) => one.from === flow.from && one.network === flow.network && (one.to === flow.to || (one.to === 'internet' || one.to === null)) && one.windowMs === windowOf(probe)));
      expect(handshakes.length).to.be.greaterThan(500);
      expect(wrong.map(({ flow }) => flow.id)).to.deep.equal([]);
      const others = [...looks.filter(({ flow }) => flow.transport !== 'tcp').map(({ probe }) => probe), ...plan.flows.flatMap(({ farWall }) => farWall ?? [])];
      expect(others.length).to.be.greaterThan(500);
      expect(others.filter((probe) => windowOf(probe) !== ceilingMs).map(({ id }) => id)).to.deep.equal([]);
      expect(rejudge(evidence)).to.deep.equal([]);
    });

  it('is longer to and from the machine at a longer cable', () => {
    const own = taken(far).windows.filter((one) => [one.from, one.to].includes('ntp') && one.roundTripMs !== null);
    expect(own.filter(({ roundTripMs }) => (roundTripMs ?? 0) < 2 * cableMs), 'round trips shorter than the cable').to.deep.equal([]);
    expect(own.filter(({ windowMs }) => windowMs < 3 * 2 * cableMs), 'windows that an answer from there could miss').to.deep.equal([]);
  });

  it('changes no verdict by it', () => {
    const verdicts = ({ ran: { cells } }: Run): ReadonlyMap<string, string> => new Map(cells.map(({ id, verdict, reason }) => [id, verdict === 'pass' ? verdict : `${verdict}: ${reason}`]));
    const [before, now] = [verdicts(taken(usual)), verdicts(taken(far))];
    expect(before.size).to.be.greaterThan(1000);
    const changed = [...new Set([...before.keys(), ...now.keys()])].filter((id) => before.get(id) !== now.get(id));
    expect(changed.map((id) => `${id}: ${before.get(id)}, with a longer cable ${now.get(id)}`), taken(far).ran.output).to.deep.equal([]);
  });
});
