// What a run shows while it is under way: bars to a terminal that somebody watches, lines to anything else.
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { isWatched, liveView } from '../reachability/live.ts';
import { aFlow } from '../fixtures/flows.ts';
import { plan } from '../fixtures/site.ts';

const flows = plan().flows.filter(({ flow }) => flow.from === 'joi');
const machines = new Set(['mesh', 'joi', 'ntp', 'gateway', 'operator']);

/** A stream that says of itself what a terminal would, and keeps what it was told. */
function aStream(isTTY: boolean): Readonly<{ stream: NodeJS.WriteStream; said: () => string }> {
  const through = new PassThrough();
  let said = '';
  through.on('data', (bytes: Buffer) => (said += bytes.toString()));
  return { stream: Object.assign(through, { isTTY, rows: 50, columns: 120, cursorTo: () => true }) as unknown as NodeJS.WriteStream, said: () => said };
}

describe('live', () => {
  const rows: readonly (readonly [sentence: string, isTTY: boolean, env: NodeJS.ProcessEnv, watched: boolean])[] = [
    ['a terminal is watched', true, { TERM: 'xterm' }, true], ['a file or a pipe is not', false, {}, false], ['a CI job\'s terminal is not', true, { CI: 'true' }, false],
    ['an empty CI is none', true, { CI: '' }, true], ['a terminal that cannot move its cursor is not', true, { TERM: 'dumb' }, false],
  ];
  for (const [sentence, isTTY, env, watched] of rows) it(sentence, () => expect(isWatched(aStream(isTTY).stream, env)).to.equal(watched));

  it('says a line when a vantage has made its last look at a destination, and not before', () => {
    const { stream, said } = aStream(false);
    const live = liveView(stream, {}, machines);
    live.planned(flows);
    const looks = flows.filter(({ flow }) => flow.to === 'ntp').flatMap(({ probe, nearWall, farWall }) => [probe, nearWall, farWall].filter((one) => one !== null));
    for (const probe of looks.slice(1)) live.looked(probe);
    expect(said()).to.equal('');
    if (looks[0]) live.looked(looks[0]);
    expect(said()).to.equal(`joi -> ntp: ${looks.length} looks made\n`);
  });
  it('says a line a vantage where the pairs are too many to be read', () => {
    const { stream, said } = aStream(false);
    const names = Array.from({ length: 300 }, (_none, index) => `vm${index}`);
    const live = liveView(stream, {}, new Set(names));
    const probes = names.map((to) => ({ id: to, vantage: 'joi', flow: aFlow({ id: to, to }), look: { by: 'login' }, token: '' }) as const);
    live.planned(probes.map((probe) => ({ flow: probe.flow, probe, witnesses: [], listener: null, aliveBy: [], nearWall: null, farWall: null })));
    for (const probe of probes) live.looked(probe);
    expect(said()).to.equal('joi: 300 looks made\n');
  });
  it('draws no bar of a run that is over at once, and gives the terminal back', async () => {
    const { stream, said } = aStream(true);
    const live = liveView(stream, {}, machines);
    live.planned(flows);
    live.stop();
    await sleep(2200); // past the moment at which bars are drawn
    expect(said()).to.equal('');
  });
  it('draws a bar for each destination of a run that takes its time', async () => {
    const { stream, said } = aStream(true);
    const live = liveView(stream, {}, machines);
    live.planned(flows);
    for (let left = 100; left > 0 && !said().includes('joi -> internet'); left -= 1) await sleep(100);
    live.stop();
    expect(said()).to.match(/joi -> ntp +\[ *\] 0\/\d+ looks/).and.match(/joi -> internet/);
  });
});
