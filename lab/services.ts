// The daemons of the machines, to be stopped and started by tests.
import { LabError } from './error.ts';
import { mustRun } from './inside.ts';
import { type AnyName, machineOf } from './standing.ts';
import type { Service } from './topology.ts';

export const start = (name: AnyName, service: Service): Promise<void> => act(name, service, 'start');
export const stop = (name: AnyName, service: Service): Promise<void> => act(name, service, 'stop');
export const restart = (name: AnyName, service: Service): Promise<void> => act(name, service, 'restart');

async function act(name: AnyName, service: Service, action: 'start' | 'stop' | 'restart'): Promise<void> {
  const { services } = machineOf(name);
  if (!services.includes(service)) throw new LabError(`${name} has no ${service}; it has ${services.join(', ') || 'no services'}`);
  await mustRun(name, ['service', service, action]);
}
