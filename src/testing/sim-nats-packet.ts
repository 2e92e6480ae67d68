/** What travels between clients and servers of the model, and how it is written and read. */
import type { NatsHeaders } from '../engines/nats/client.ts';

/** A message on its way. Whoever gets it must not change its bytes. */
export interface SimNatsPacket {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: NatsHeaders;
  readonly status?: number | undefined;
  readonly reply?: string | undefined;
}

/** Sends an answer as JSON. */
export type SimNatsAnswer = (body: object) => void;

/** Nothing at all. */
export const noBytes: Uint8Array = new Uint8Array();
/** No headers. */
export const noHeaders: NatsHeaders = Object.freeze({});

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A value as the bytes of its JSON, as servers written in Go make it. */
export function jsonBytes(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** The object that bytes hold as JSON; nothing for no bytes, and for all else `undefined`. */
export function readJson(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Headers as they stand on the wire. */
export function headerText(headers: NatsHeaders): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `NATS/1.0\r\n${lines.join('')}\r\n`;
}
