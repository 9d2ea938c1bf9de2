// The estate: as many hosts as are asked for. Intact it is green; one hole is exactly one red cell.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { isHealthy } from '../../lab/status.ts';
import { machinesThere } from '../../lab/standing.ts';
import { up, upEstate } from '../../lab/up.ts';
import { npmTest, tuple } from './harness.ts';

const inEstate = { FLOWPROOF_INVENTORY: '/root/inventory.json' };

describe('an estate of six hosts', () => {
  before(() => upEstate(6));
  after(() => up({ phase: 'steady' })); // for the scenarios that follow

  it('stands in the place of the usual lab, and a second up is none', async () => {
    const there = machinesThere();
    expect(there).to.have.members(['internet', 'operator', 'gateway', 'vm1', 'vm2', 'vm3', 'vm4', 'vm5']);
    await upEstate(6);
    expect(await isHealthy(there)).to.equal(true);
  });

  it('is as its matrix says', async () => {
    const { cells, exitCode, output } = await npmTest(inEstate);
    expect(cells.filter(({ verdict }) => verdict !== 'pass').map(tuple), output).to.deep.equal([]);
    expect(exitCode, output).to.equal(0);
    const open = cells.filter(({ expected }) => expected === 'allowed').map(tuple);
    // The way in, SSH to five, a ring of five, the time for four.
    expect(open).to.have.length(15).and.include('vm5 172.22.22.11 tcp/8443').and.include('vm2 172.22.22.11 udp/123');
  });

  it('is red in the one cell that a hole opens', async () => {
    await exec('vm2', ['nft', 'insert rule inet filter output ip daddr 172.22.22.14 tcp dport 3389 accept']);
    await exec('vm4', ['nft', 'insert rule inet filter input ip saddr 172.22.22.12 tcp dport 3389 accept']);
    const { cells, exitCode, output } = await npmTest(inEstate);
    expect(cells.filter(({ verdict }) => verdict === 'fail').map(tuple), output).to.deep.equal(['vm2 172.22.22.14 tcp/3389']);
    expect(cells.filter(({ verdict }) => verdict === 'inconclusive').map(tuple), output).to.deep.equal([]);
    expect(exitCode).to.not.equal(0);
  });
});
