import type { FileHandle } from 'node:fs/promises';

/** Where the content of a file in a zip archive lies, which is stored without compression. */
export interface ZipEntry {
  readonly start: number;
  readonly bytes: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END64_LOCATOR = 0x07064b50;
const END64 = 0x06064b50;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** Longest comment of an archive. */
const COMMENT = 0xffff;
/** In place of a number that is elsewhere, because it needs 8 bytes. */
const ELSEWHERE = 0xffffffff;
const MOST_DIRECTORY_BYTES = 64 * 1024 * 1024;

/**
 * The directory of a zip archive, also one of more than 4 GiB; see PKWARE's APPNOTE.TXT.
 * @throws Error when it cannot be read, or a file in it is compressed
 */
export async function readZipDirectory(file: FileHandle): Promise<Map<string, ZipEntry>> {
  const { size } = await file.stat();
  const { offset, bytes } = await findDirectory(file, size);
  if (bytes > MOST_DIRECTORY_BYTES || offset + bytes > size) throw new Error('its directory is damaged');
  const directory = await readAt(file, offset, bytes);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at < directory.length;) {
    if (directory.readUInt32LE(at) !== ENTRY) throw new Error('its directory is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const name = directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes);
    const extra = directory.subarray(at + ENTRY_BYTES + nameBytes, at + ENTRY_BYTES + nameBytes + extraBytes);
    const [whole, stored, header] = numbersOf(
      extra,
      [24, 20, 42].map((place) => directory.readUInt32LE(at + place)),
    );
    if (directory.readUInt16LE(at + 10) !== 0 || whole !== stored) throw new Error(`"${name}" in it is compressed`);
    entries.set(name, await contentOf(file, header!, whole!, size));
    at += ENTRY_BYTES + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  }
  return entries;
}

async function findDirectory(file: FileHandle, size: number): Promise<{ offset: number; bytes: number }> {
  const from = Math.max(0, size - END_BYTES - COMMENT);
  const tail = await readAt(file, from, size - from);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const [bytes, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    const locator = from + at - 20;
    if (locator < 0 || (bytes !== ELSEWHERE && offset !== ELSEWHERE)) return { offset, bytes };
    const place = await readAt(file, locator, 20);
    if (place.readUInt32LE(0) !== END64_LOCATOR) return { offset, bytes };
    const end = await readAt(file, whole64(place, 8), 56);
    if (end.readUInt32LE(0) !== END64) break;
    return { offset: whole64(end, 48), bytes: whole64(end, 40) };
  }
  throw new Error('it has no directory');
}

/** Replaces numbers that need 8 bytes by those in the extra field, which has only such, in this order. */
function numbersOf(extra: Buffer, numbers: readonly number[]): number[] {
  if (!numbers.includes(ELSEWHERE)) return [...numbers];
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 1) continue;
    let next = at + 4;
    return numbers.map((number) => {
      if (number !== ELSEWHERE) return number;
      next += 8;
      return whole64(extra, next - 8);
    });
  }
  throw new Error('its directory is damaged');
}

/** Names and extra fields before a content may have other lengths than in the directory. */
async function contentOf(file: FileHandle, header: number, bytes: number, size: number): Promise<ZipEntry> {
  const local = await readAt(file, header, LOCAL_BYTES);
  if (local.readUInt32LE(0) !== LOCAL) throw new Error('its directory is damaged');
  const start = header + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + bytes > size) throw new Error('it ends too early');
  return { start, bytes };
}

export async function readAt(file: FileHandle, start: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(buffer, 0, bytes, start);
  if (bytesRead < bytes) throw new Error('it ends too early');
  return buffer;
}

function whole64(buffer: Buffer, at: number): number {
  const value = Number(buffer.readBigUInt64LE(at));
  if (!Number.isSafeInteger(value)) throw new Error('its directory is damaged');
  return value;
}
