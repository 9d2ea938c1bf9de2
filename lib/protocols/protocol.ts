// What a protocol module is: pure functions from a token to bytes and from bytes to a meaning.

/** What a module may need besides the token. */
export type Context = Readonly<{
  /** The DNS name the address was resolved from (TLS server name). */
  serverName: string | null;
  /** A name that a resolver of this site should know. */
  question: string;
  /** The vantage's own IPv4 address towards the destination, where known. */
  ownAddress: string | null;
}>;

/** What a datagram or the first bytes of a stream mean: the protocol was spoken, or something else was. */
export type Reading = Readonly<{ seen: 'answered' | 'garbled'; detail: string }>;

export type ProtocolModule = Readonly<{
  /** The fixed source port that the protocol asks for; 0: any. */
  sourcePort: number;
  /**
   * Bytes to send as hex; empty where the TCP handshake alone is the question.
   * @param token 16 random bytes as hex, fresh for each probe: whatever id the protocol has is taken from it
   */
  request(token: string, context: Context): string;
  /** Must take any bytes: the far end may be anybody. */
  read(reply: Buffer, token: string): Reading;
  /** Whether it answers somebody else's question: where the machine's own client has the port that the protocol asks for, its replies come to us. */
  isForeign?(reply: Buffer, token: string): boolean;
}>;

export const answered = (detail: string): Reading => ({ seen: 'answered', detail });
export const garbled = (detail: string): Reading => ({ seen: 'garbled', detail });
