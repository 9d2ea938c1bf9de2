// The one error that is for people: its message says what is wrong and what to do.
export class LabError extends Error {
  override readonly name = 'LabError';
}
