/** Runs one probe of one bench file in a fresh process and reads its sample. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Sample, samplePrefix } from './measure.ts';
import type { Measured } from './registry.ts';

/** A probe that did not yield a sample. */
export interface ProbeFailure {
  readonly failure: string;
}

/** Building a million agents takes minutes; nothing takes longer than this. */
const probeTimeoutMs = 30 * 60_000;

/** Takes one sample of a probe, or tells why there is none. */
export async function takeSample(
  { file, probe }: Pick<Measured, 'file' | 'probe'>,
  env: NodeJS.ProcessEnv,
): Promise<Sample | ProbeFailure> {
  const flags = ['--expose-gc', '--no-warnings', join(import.meta.dirname, file)];
  const child = spawn(process.execPath, [...flags, '--sample', probe], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: probeTimeoutMs,
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', text => {
    complaint = (complaint + text).slice(-10_000);
  });
  await new Promise(resolve => child.once('close', resolve));
  // A probe may end by killing itself, so its output counts and not its exit code.
  const line = output.split('\n').findLast(text => text.startsWith(samplePrefix));
  if (line !== undefined) return JSON.parse(line.slice(samplePrefix.length));
  return {
    failure: firstComplaint(complaint) ?? `ended with ${child.exitCode ?? child.signalCode}`,
  };
}

function firstComplaint(text: string): string | undefined {
  const lines = text.split('\n').map(line => line.trim());
  return lines.find(line => /^\w*Error\b|^[A-Z_]+: /.test(line)) ?? lines.find(line => line !== '');
}
