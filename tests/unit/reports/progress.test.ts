// How far a run is: each look counted once, under its vantage and destination.
import { expect } from 'chai';
import type { Probe } from '../../../lib/model.ts';
import { countLooks } from '../../../lib/reports/progress.ts';
import { plan } from '../../fixtures/site.ts';

const { flows } = plan();
const machines = new Set(['mesh', 'joi', 'ntp', 'gateway', 'operator']);
const looks = flows.flatMap(({ probe, nearWall, farWall }) => [probe, nearWall, farWall].filter((one): one is Probe => one !== null));

describe('progress', () => {
  it('has a row for each vantage and destination, all that is outside being one', () => {
    const names = countLooks(flows, machines, 'pair').rows().map(({ name }) => name);
    expect(names).to.include.members(['joi -> internet', 'joi -> ntp', 'operator -> gateway']);
    expect(new Set(names).size).to.equal(names.length);
  });
  it('has a row for each vantage where there is no room', () => expect(countLooks(flows, machines, 'vantage').rows().map(({ name }) => name)).to.have.members([...machines]));
  it('counts users\' looks and those at walls, up to all of them', () => {
    const count = countLooks(flows, machines, 'pair');
    expect(count.rows().reduce((sum, { total }) => sum + total, 0)).to.equal(looks.length).and.be.greaterThan(flows.length);
    for (const probe of looks) count.looked(probe);
    expect(count.rows().filter(({ done, total }) => done !== total)).to.deep.equal([]);
  });
  it('counts a look that is made again once', () => {
    const [probe] = looks;
    const count = countLooks(flows, machines, 'pair');
    expect([probe && count.looked(probe)?.done, probe && count.looked(probe)]).to.deep.equal([1, null]);
  });
  it('counts no look that is no cell', () => expect(looks[0] && countLooks(flows, machines, 'pair').looked({ ...looks[0], id: 'operator => 1.1.1.1 tcp/443' })).to.equal(null));
});
