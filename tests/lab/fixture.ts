// The lab stands while the scenarios run, whether they end well or not; afterwards nothing of it is left.
import { down } from '../../lab/down.ts';
import { up } from '../../lab/up.ts';

export async function mochaGlobalSetup(): Promise<void> {
  await up({ phase: 'steady' });
}

export async function mochaGlobalTeardown(): Promise<void> {
  await down();
}
