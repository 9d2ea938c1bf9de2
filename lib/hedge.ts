// A connection by fresh tries, begun one after the other until one stands: a lost SYN comes again late and seldom, a fresh
// one in a second.

type Hedge<T> = Readonly<{
  tries: number;
  everyMs: number;
  /** Of an error that no further try would change: the far end itself says no. */
  isFinal: (error: Error) => boolean;
  /** For what comes up after another one was taken. */
  drop: (surplus: T) => void;
}>;

/**
 * Resolves with the first try that comes up. Rejects at once with a final error; else, one interval after the last try
 * began, with the last error, or `timed out` where none said anything.
 */
export function hedged<T>(attempt: () => Promise<T>, { tries, everyMs, isFinal, drop }: Hedge<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let [begun, over] = [0, false];
    let last = new Error('timed out');
    const end = (settle: () => void): void => {
      over = true;
      clearInterval(timer);
      settle();
    };
    const begin = (): void => {
      if (begun === tries) return end(() => reject(last));
      begun += 1;
      attempt().then(
        (up) => (over ? drop(up) : end(() => resolve(up))),
        (error: Error) => {
          last = error;
          if (!over && isFinal(error)) end(() => reject(error));
        },
      );
    };
    const timer = setInterval(begin, everyMs);
    begin();
  });
}
