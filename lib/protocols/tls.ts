// TLS: a ClientHello that offers 1.3 and 1.2 (RFC 8446, sections 4.1.2 and 5.1); a ServerHello or an alert is the answer.
// Written by hand since Node's own tls would draw its own randomness and cannot be asked for the bytes alone.
import { answered, garbled, type ProtocolModule } from './protocol.ts';

const handshake = 22;
const alert = 21;
const clientHello = 1;
const serverHello = 2;

export const tls: ProtocolModule = {
  sourcePort: 0,
  request(token, { serverName }) {
    const random = Buffer.from(token + token, 'hex'); // 32 bytes
    const extensions = [
      serverName === null ? Buffer.alloc(0) : extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(serverName))]))),
      extension(10, vector(2, hex('001d0017'))), // supported_groups: x25519, secp256r1
      extension(11, vector(1, hex('00'))), // ec_point_formats: uncompressed
      extension(13, vector(2, hex('040308040401050308050501'))), // signature_algorithms: ECDSA, RSA-PSS, RSA with SHA-256/384
      extension(43, vector(1, hex('03040303'))), // supported_versions: 1.3, 1.2
      extension(51, vector(2, Buffer.concat([hex('001d'), vector(2, random)]))), // key_share: any 32 bytes are an x25519 key
    ];
    const body = Buffer.concat([
      hex('0303'),
      random,
      vector(1, random), // legacy_session_id, for middleboxes (appendix D.4)
      vector(2, hex('130113021303c02bc02fc02cc030')), // TLS 1.3 suites, ECDHE with AES-GCM
      vector(1, hex('00')), // no compression
      vector(2, Buffer.concat(extensions)),
    ]);
    return Buffer.concat([hex('160301'), vector(2, Buffer.concat([Buffer.from([clientHello]), vector(3, body)]))]).toString('hex');
  },
  read(reply) {
    const [type, major, , , , message, description] = reply;
    if (major !== 3) return garbled('not a TLS record');
    if (type === handshake && message === serverHello) return answered('TLS ServerHello');
    if (type === alert) return answered(`TLS alert ${description ?? ''}`);
    return garbled(`TLS record of type ${type}, but no ServerHello`);
  },
};

function hex(digits: string): Buffer {
  return Buffer.from(digits, 'hex');
}

/** A vector with its length in `bytes` bytes in front (RFC 8446, section 3.4). */
function vector(bytes: 1 | 2 | 3, content: Buffer): Buffer {
  const length = Buffer.alloc(bytes);
  length.writeUIntBE(content.length, 0, bytes);
  return Buffer.concat([length, content]);
}

function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 255]), vector(2, content)]);
}
