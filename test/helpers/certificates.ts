/**
 * Certificates for tests: an authority, and leaves that it vouches for, valid on this machine
 * alone. Node reads certificates but makes none, so their few fields are written here (RFC 5280,
 * in DER).
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority. */
export interface Authority {
  readonly cert: string;
  /** Vouches for somebody on this machine. */
  issue(name: string): Certificate;
}

const hourMs = 3_600_000;

/** Makes an authority. */
export function certificateAuthority(name: string): Authority {
  const key = newKey();
  const cert = certificateOf({ name, key, issuer: name, issuerKey: key, isAuthority: true });
  return {
    cert,
    issue(leaf) {
      const leafKey = newKey();
      const parts = { name: leaf, key: leafKey, issuer: name, issuerKey: key, isAuthority: false };
      const pem = leafKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { cert: certificateOf(parts), key: pem };
    },
  };
}

interface Parts {
  readonly name: string;
  readonly key: KeyObject;
  readonly issuer: string;
  readonly issuerKey: KeyObject;
  readonly isAuthority: boolean;
}

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

let lastSerial = 1;

function certificateOf({ name, key, issuer, issuerKey, isAuthority }: Parts): string {
  lastSerial += 1;
  const algorithm = sequence(objectId('2a8648ce3d040302'));
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const now = Date.now();
  const content = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(lastSerial)),
    algorithm,
    nameOf(issuer),
    sequence(time(now - hourMs), time(now + hourMs)),
    nameOf(name),
    publicKey,
    der(0xa3, sequence(...(isAuthority ? authorityFields() : leafFields()))),
  );
  const signature = sign('sha256', content, issuerKey);
  const whole = sequence(content, algorithm, der(0x03, Buffer.of(0), signature));
  const lines = whole.toString('base64').replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function authorityFields(): Buffer[] {
  const yes = der(0x01, Buffer.of(0xff));
  // Basic constraints: an authority. Key usage: signs certificates.
  const constraints = sequence(objectId('551d13'), yes, der(0x04, sequence(yes)));
  const usage = sequence(objectId('551d0f'), yes, der(0x04, der(0x03, Buffer.of(2, 0x04))));
  return [constraints, usage];
}

function leafFields(): Buffer[] {
  const places = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)));
  const roles = sequence(objectId('2b06010505070301'), objectId('2b06010505070302'));
  // Alternative names; extended key usage: server and client.
  return [
    sequence(objectId('551d11'), der(0x04, places)),
    sequence(objectId('551d25'), der(0x04, roles)),
  ];
}

function nameOf(text: string): Buffer {
  const commonName = sequence(objectId('550403'), der(0x0c, Buffer.from(text)));
  return sequence(der(0x31, commonName));
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(digits));
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

/** A value in DER: its tag, its length in as few bytes as it takes, its bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits = length.toString(16);
  const long = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const size = length < 0x80 ? Buffer.of(length) : Buffer.of(0x80 | long.length, ...long);
  return Buffer.concat([Buffer.of(tag), size, content]);
}
