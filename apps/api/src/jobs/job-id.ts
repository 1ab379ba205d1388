import { randomBytes } from 'node:crypto';

/**
 * Creates a job id: `job_` and a UUIDv7 (RFC 9562) without dashes, so that ids sort by time and can be part of BullMQ
 * ids.
 * @param now epoch ms
 */
export function newJobId(now: number = Date.now()): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return `job_${bytes.toString('hex')}`;
}
