/*
 * Formats numbers for people: with units and thousands separators, and only significant digits. An unknown value is a
 * dash, never zero.
 */

/** Explanation of batch efficiency, the share of real tokens in padded batches. */
export const BATCH_EFFICIENCY = 'Tokens of texts / tokens computed, padding included';

const UNKNOWN = '–';
const ID_LENGTH = 12;
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const onePlace = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const twoPlaces = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** `12,345` */
export function count(value: number | null): string {
  return value === null ? UNKNOWN : whole.format(value);
}

/** `12,345 texts`, `1 text` */
export function counted(value: number | null, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `950`, `12.3k`, `1.2M`: for places with little room. */
export function short(value: number | null): string {
  if (value === null) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 999_950) return `${threeDigits(value / 1e6)}M`;
  if (size >= 9_999.5) return `${threeDigits(value / 1e3)}k`;
  return size > 0 && size < 10 && !Number.isInteger(value) ? onePlace.format(value) : whole.format(value);
}

/** `840 ms`, `4.2 s`, `42 s`, `12 min`, `3 h 10 min`, `2 d 4 h` */
export function duration(seconds: number | null): string {
  if (seconds === null) return UNKNOWN;
  if (seconds <= 0) return '0 s';
  if (seconds < 0.01) return `${onePlace.format(seconds * 1000)} ms`;
  if (seconds < 0.9995) return `${whole.format(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${onePlace.format(seconds)} s`;
  if (seconds < 99.5) return `${whole.format(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return pair(hours, 'h', minutes % 60, 'min');
  const rounded = Math.round(seconds / 3600);
  return pair(Math.floor(rounded / 24), 'd', rounded % 24, 'h');
}

/** `98.7 %` */
export function percent(ratio: number | null): string {
  return ratio === null
    ? UNKNOWN
    : `${ratio === 0 || ratio === 1 ? whole.format(ratio * 100) : onePlace.format(ratio * 100)} %`;
}

/** `640 MiB` */
export function bytes(value: number | null): string {
  if (value === null) return UNKNOWN;
  const mib = value / 2 ** 20;
  return mib >= 1024 ? `${twoPlaces.format(mib / 1024)} GiB` : `${whole.format(mib)} MiB`;
}

/** `…3f9c1b2a77e0`: ids begin with a timestamp, so their end distinguishes them. */
export function shortId(id: string): string {
  return id.length <= ID_LENGTH ? id : `…${id.slice(-ID_LENGTH)}`;
}

/** `0.83` */
export function similarity(value: number): string {
  return twoPlaces.format(value).replace(/^-(0\.00)$/, '$1');
}

/** `14:03:22`, in the browser's time zone. */
export function clock(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleTimeString('en-GB');
}

/** `23 Nov, 14:03:22`, in the browser's time zone. */
export function moment(epochSeconds: number | null): string {
  if (epochSeconds === null) return UNKNOWN;
  const day = new Date(epochSeconds * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return `${day}, ${clock(epochSeconds)}`;
}

function threeDigits(value: number): string {
  return Math.abs(value) >= 99.95 ? whole.format(value) : onePlace.format(value);
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
