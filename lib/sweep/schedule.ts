// Work whose parts must not meet: as much at once as has nothing in common.

/** Each of `all` once, in their order as far as they may; two that need the same are never under way together. */
export async function disjoint<T>(all: readonly T[], needs: (one: T) => readonly string[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const busy = new Set<string>();
  const under = new Set<Promise<void>>();
  const begin = (one: T): void => {
    for (const need of needs(one)) busy.add(need);
    const ended: Promise<void> = work(one).finally(() => {
      for (const need of needs(one)) busy.delete(need);
      under.delete(ended);
    });
    under.add(ended);
  };
  while (waiting.length > 0 || under.size > 0) {
    for (let index = 0; index < waiting.length; ) {
      const one = waiting[index] as T;
      if (needs(one).some((need) => busy.has(need))) index += 1;
      else begin(...(waiting.splice(index, 1) as [T]));
    }
    await Promise.race(under);
  }
}
