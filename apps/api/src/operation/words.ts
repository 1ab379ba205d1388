/*
 * Formats numbers for the sentences in API responses.
 */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const onePlace = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** `12,345 texts`, `1 text` */
export function counted(value: number, noun: string): string {
  return `${whole.format(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `117 texts/s`, `0.4 texts/s` */
export function perSecond(texts: number): string {
  return `${(texts < 10 ? onePlace : whole).format(texts)} texts/s`;
}

/** A rounded duration: `40 s`, `4 min`, `3.2 h`, `2.5 days`. */
export function about(seconds: number): string {
  if (seconds < 99.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = seconds / 3600;
  return hours < 24 ? `${onePlace.format(hours)} h` : `${onePlace.format(hours / 24)} days`;
}
