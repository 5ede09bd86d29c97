/** The explorer's server: typed answers, binary columns decoded, every failure one sentence for a person. */

export type ColumnKind = "categorical" | "continuous" | "text";

export interface Column {
  name: string;
  label: string;
  group: string;
  kind: ColumnKind;
  type?: string;
  categories?: string[];
  min?: number;
  max?: number;
  direction?: string;
  insights?: boolean;
  meaning?: string;
  /** Values come as differences from it; decoded ones are whole again. */
  origin?: number;
}

/** A column of the element instances. */
export interface InstanceColumn {
  name: string;
  label: string;
  direction?: string;
}

/** A part of a sample; beside its number and name, the values of the columns. */
export interface Instance {
  number: number;
  [column: string]: unknown;
}

export interface Run {
  name: string;
  integration: string;
  model: string;
  samples: number;
  notice: string | null;
  states: { name: string; count: number }[];
  columns: Column[];
  instance_columns: InstanceColumn[];
  latent_spaces: { name: string; width: number }[];
  projections: string[];
  defaults: { colour: string | null; size: string | null; space: string | null; projection: string };
}

/** Codes index `column.categories`; -1 where the sample has no value. */
export interface CategoricalValues {
  kind: "categorical";
  column: Column;
  codes: Int32Array;
}

/** Doubles where float32 would merge what a person tells apart. */
export type Numbers = Float32Array | Float64Array;

/** NaN where the sample has no value. */
export interface ContinuousValues {
  kind: "continuous";
  column: Column;
  values: Numbers;
}

export type ColumnValues = CategoricalValues | ContinuousValues;

export interface Prediction {
  name: string;
  labels: string[];
  /** Null for NaN and infinity. */
  values: (number | null)[];
}

export interface Sample {
  row: number;
  sample_id: string;
  state: string;
  values: { column: string; value: unknown }[];
  predictions: Prediction[];
  instances: Instance[];
}

export interface BarData {
  labels: string[];
  values: (number | null)[];
  ground_truth?: number[] | null;
}

export interface DrawnVisual {
  name: string;
  type: string;
  png: string;
  width: number;
  height: number;
  data?: BarData | null;
}

export type Visual = DrawnVisual | { name: string; error: string };

/** `message` is one sentence for a person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number | null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

const UNREACHABLE = "The explorer's server does not answer. Start it again with “leaplab explore”, then retry.";

async function request(path: string, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`api/${path}`, signal ? { signal } : {});
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE, null);
  }
  if (response.ok) return response;
  throw new ApiError(await errorSentence(response), response.status);
}

async function errorSentence(response: Response): Promise<string> {
  const fallback = `The server answered ${response.status} ${response.statusText}`.trim() + ".";
  try {
    const body: unknown = await response.json();
    if (body && typeof body === "object" && "error" in body && typeof body.error === "string") return body.error;
    return fallback;
  } catch {
    return fallback;
  }
}

async function body<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE, null);
  }
}

async function json<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await request(path, signal);
  return (await body(response.json())) as T;
}

/** Little-endian binary values, one a sample; throws where the length is not that of the run. */
export function decodeColumn(buffer: ArrayBuffer, column: Column, samples: number): ColumnValues {
  checkLength(buffer, samples, `The column ${column.name}`);
  if (column.kind === "categorical") return { kind: "categorical", column, codes: new Int32Array(buffer) };
  const values = new Float32Array(buffer);
  const { origin } = column;
  if (origin === undefined) return { kind: "continuous", column, values };
  return { kind: "continuous", column, values: Float64Array.from(values, (value) => value + origin) };
}

/** Interleaved float32 coordinates x0 y0 x1 y1 ..., each within [-1, 1]; NaN for samples that have no place. */
export function decodeProjection(buffer: ArrayBuffer, samples: number): Float32Array {
  checkLength(buffer, samples * 2, "The projection");
  return new Float32Array(buffer);
}

/** Ids in row order; throws where their number is not that of the run. */
export function checkIds(ids: string[], samples: number): string[] {
  if (ids.length !== samples) {
    throw new ApiError(`The server sent ${ids.length} sample ids for ${samples} samples; reload the page.`, null);
  }
  return ids;
}

function checkLength(buffer: ArrayBuffer, values: number, what: string): void {
  if (buffer.byteLength !== values * 4) {
    throw new ApiError(
      `${what} came with ${buffer.byteLength} bytes where ${values * 4} were expected; reload the page.`,
      null,
    );
  }
}

export const getRun = (): Promise<Run> => json<Run>("run");

export async function getColumn(column: Column, samples: number): Promise<ColumnValues> {
  const response = await request(`columns/${encodeURIComponent(column.name)}`);
  return decodeColumn(await body(response.arrayBuffer()), column, samples);
}

export async function getProjection(space: string, method: string, samples: number): Promise<Float32Array> {
  const response = await request(`projection?${new URLSearchParams({ space, method })}`);
  return decodeProjection(await body(response.arrayBuffer()), samples);
}

export async function getIds(samples: number): Promise<string[]> {
  return checkIds(await json<string[]>("ids"), samples);
}

export const getSample = (row: number, signal: AbortSignal): Promise<Sample> => json<Sample>(`samples/${row}`, signal);

export const getVisuals = (row: number, signal: AbortSignal): Promise<Visual[]> =>
  json<Visual[]>(`samples/${row}/visuals`, signal);

/** Keeps the answer to each key; a failed request is forgotten, so that a retry asks again. */
export class Memo<T> {
  private readonly answers = new Map<string, Promise<T>>();

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key);
    if (known) return known;
    const answer = ask();
    this.answers.set(key, answer);
    answer.catch(() => this.answers.delete(key));
    return answer;
  }
}
