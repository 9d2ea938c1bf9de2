// One at a time: a lock that the kernel gives back when its holder dies, kill -9
// included. It is an abstract unix socket, so there is no file to go stale.
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 200;

export async function withLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const holder = await take(`\0${name}`);
  try {
    return await work();
  } finally {
    holder.close();
  }
}

async function take(address: string): Promise<Server> {
  for (let told = false; ; told = true) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
      server.listen(address, () => resolve(true));
    });
    if (taken) return server;
    if (!told) console.error('lab: another command is at work on the lab; waiting for it');
    await sleep(retryMs);
  }
}
