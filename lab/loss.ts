// Packets lost on the way: a share of all frames on both bridges, each way, whatever they carry (IPv4, IPv6, ARP). Where a
// frame enters the switch it is lost or not, once, at random.
import { LabError } from './error.ts';
import { host } from './shell.ts';
import { innerNames, machines, switchNamespace } from './topology.ts';

const inSwitch = ['nsenter', `--net=/run/netns/${switchNamespace}`];
const ports = innerNames.flatMap((name) => machines[name].interfaces.map((nic) => `${name}-${nic.name}`));

/** @param percent of the frames; 0: none, as before */
export async function lose(percent: number): Promise<void> {
  const rules = `table netdev loss
    delete table netdev loss
    table netdev loss {
      chain frames {
        type filter hook ingress devices = { ${ports.map((port) => `"${port}"`).join(', ')} } priority 0; policy accept;
        counter
        numgen random mod 100 < ${percent} counter drop
      }
    }`;
  await host({ input: percent === 0 ? 'table netdev loss\ndelete table netdev loss' : rules })`${inSwitch} nft -f -`;
}

/** Counted since the last `lose`. */
export async function lost(): Promise<Readonly<{ frames: number; dropped: number }>> {
  const { stdout } = await host`${inSwitch} nft list table netdev loss`;
  const [frames, dropped] = [...stdout.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets));
  if (frames === undefined || dropped === undefined) throw new LabError(`the switch counts no lost frames:\n${stdout}`);
  return { frames, dropped };
}
