/** How numbers and values are written in the page. */

/** Stands for a value that the sample does not have. */
export const ABSENT = "\u2014";

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const four = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4, useGrouping: false });

/** A count, with thousands separators: 70000 -> "70,000". */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** Four significant digits; powers of ten below 1e-4 and from 1e6; integers are kept whole below 1e15. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return ABSENT;
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : "\u2212\u221e";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) {
    return minus(size < 10_000 ? String(value) : whole.format(value));
  }
  if (size < 1e-4 || size >= 1e6) return minus(value.toExponential(2).replace("e+", "e"));
  return minus(size >= 10_000 ? whole.format(value) : four.format(value));
}

/** A number as it is read, not copied: three significant digits. */
export function formatRounded(value: number): string {
  return formatNumber(Number(value.toPrecision(3)));
}

/** A p value, which is small and never nothing. */
export function formatP(p: number): string {
  return p < 1e-16 ? "< 1e\u221216" : formatNumber(Number(p.toPrecision(2)));
}

/** A value of the API as a person reads it; absent ones as an em dash. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined || value === "") return ABSENT;
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

/** "1 sample", "70,000 samples". */
export function formatSamples(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "sample" : "samples"}`;
}

/** A name of the program as a person reads it: "cross_entropy" -> "cross entropy". */
export function formatName(name: string): string {
  return name.replaceAll("_", " ");
}

/** "metadata" -> "Metadata". */
export function groupName(group: string): string {
  const name = formatName(group);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function minus(text: string): string {
  return text.replaceAll("-", "\u2212");
}
