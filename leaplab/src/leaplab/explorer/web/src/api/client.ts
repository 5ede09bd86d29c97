/** The explorer's server: typed answers, and every failure one sentence for a person. */

import type { Board } from "./charts";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type SimilarPlaces = Schemas["SimilarPlaces"];
export type Run = Schemas["Run"];
export type Column = Schemas["Column"];
export type Objects = Schemas["Objects"];
export type Scale = Schemas["Scale"];
export type Summary = Schemas["Summary"];
export type Sample = Schemas["Sample"];
export type Prediction = Schemas["Prediction"];
export type Visual = Schemas["Visual"];
export type Panel = Schemas["Panel"];
export type Outline = Schemas["Outline"];
export type Verdict = Schemas["Verdict"];
export type Rank = Schemas["Rank"];
export type Selecting = Schemas["Selecting"];
export type Selected = Schemas["Selected"];
export type Filter = Schemas["Filter"];
export type Histogram = Schemas["Histogram"];
export type Headline = Schemas["Headline"];
export type Insights = Schemas["Insights"];
export type Insight = Schemas["Insight"];
export type Tag = Schemas["Tag"];
export type Tagging = Schemas["Tagging"];
export type InsightNote = Schemas["InsightNote"];
export type Noting = Schemas["Noting"];
export type Difference = Schemas["Difference"];
export type Heatmap = Schemas["Heatmap"];
export type Near = Schemas["Near"];
export type Progress = Schemas["Progress"];

/** What the points of the map stand for: samples, or their element instances. */
export type Points = "samples" | "objects";

/** A part of a sample; beside its number and name, the values of the columns. */
export interface Instance {
  number: number;
  [column: string]: unknown;
}

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

/** Another run answers at the page's address now. */
export const ANOTHER_RUN = 409;
const UNREACHABLE =
  "The explorer's server does not answer. Start it again with \u201cleaplab explore\u201d, then retry.";

type Parameters = Record<string, string | number>;

export class Client {
  /** @param key of the run; another run refuses it. */
  constructor(private readonly key: string) {}

  headline(): Promise<Headline | null> {
    return this.json("headline", {});
  }

  insights(): Promise<Insights> {
    return this.json("insights", {});
  }

  async members(insight: string): Promise<Uint32Array> {
    return new Uint32Array(await this.bytes(`insights/${encodeURIComponent(insight)}/rows`, {}));
  }

  codes(column: string, of: Points = "samples"): Promise<ArrayBuffer> {
    return this.bytes("columns/codes", { name: column, ...whose(of) });
  }

  summary(column: string, of: Points = "samples"): Promise<Summary> {
    return this.json("columns/summary", { name: column, ...whose(of) });
  }

  /** Rows, or places of objects, by a column's exact values. */
  async order(column: string, descending: boolean, of: Points = "samples"): Promise<Uint32Array> {
    const asked = { name: column, descending: String(descending), ...whose(of) };
    return new Uint32Array(await this.bytes("columns/order", asked));
  }

  map(space: string, method: string, of: Points = "samples"): Promise<ArrayBuffer> {
    return this.bytes("map", { space, method, ...whose(of) });
  }

  /** The row of each object's sample and its number there, one after the other. */
  async owners(): Promise<Uint32Array> {
    return new Uint32Array(await this.bytes("objects/rows", {}));
  }

  /** The id of a row. */
  async id(row: number): Promise<string> {
    return (await this.json<{ ids: string[] }>("ids", { start: row, count: 1 })).ids[0]!;
  }

  /** A small picture of an object. */
  crop(object: number): string {
    return address(`objects/${object}/thumbnail`, { key: this.key });
  }

  select(asked: Selecting, signal: AbortSignal): Promise<Selected> {
    return this.ask("select", asked, signal);
  }

  /** The answer to a question that is more than an address holds. */
  async ask<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return (await read((await this.post(path, body, signal)).json())) as T;
  }

  /** The same as a file. */
  async file(path: string, body: unknown): Promise<Blob> {
    return read((await this.post(path, body)).blob());
  }

  /** A table of some samples; the mask is a bit a row in base64. */
  table(mask: string, format: "csv" | "json"): Promise<Blob> {
    return this.file("export", { mask, format });
  }

  tags(): Promise<Tag[]> {
    return this.json("tags", {});
  }

  async tagRows(name: string): Promise<Uint32Array> {
    return new Uint32Array(await this.bytes("tags/rows", { name }));
  }

  tagsOf(row: number): Promise<string[]> {
    return this.json(`samples/${row}/tags`, {});
  }

  /** Give samples a tag, or take it from them; tells all tags, as do the next two. */
  tag(asked: Omit<Tagging, "rows">): Promise<Tag[]> {
    return this.ask("tags", asked);
  }

  async renameTag(name: string, to: string): Promise<Tag[]> {
    return (await read((await this.send("PUT", "tags", { name }, { name: to })).json())) as Tag[];
  }

  async deleteTag(name: string): Promise<Tag[]> {
    return (await read((await this.send("DELETE", "tags", { name })).json())) as Tag[];
  }

  insightNotes(): Promise<InsightNote[]> {
    return this.json("notes/insights", {});
  }

  async noteInsight(stableId: string, said: Noting): Promise<InsightNote> {
    const path = `notes/insights/${encodeURIComponent(stableId)}`;
    return (await read((await this.send("PATCH", path, {}, said)).json())) as InsightNote;
  }

  boards(): Promise<Board[]> {
    return this.json("boards", {});
  }

  proposedBoard(): Promise<Board> {
    return this.json("boards/proposed", {});
  }

  /** Keep a board, in the place of another or beside them; tells all boards, as does the next. */
  async keepBoard(board: Board, instead: string | null): Promise<Board[]> {
    const place: Parameters = instead === null ? {} : { name: instead };
    return (await read((await this.send("PUT", "boards", place, board)).json())) as Board[];
  }

  async deleteBoard(name: string): Promise<Board[]> {
    return (await read((await this.send("DELETE", "boards", { name })).json())) as Board[];
  }

  suggestions(): Promise<Schemas["Suggestions"]> {
    return this.json("plan/suggestions", {});
  }

  similar(row: number, space: string, signal: AbortSignal): Promise<Near[]> {
    return this.json(`samples/${row}/similar`, { space }, signal);
  }

  sample(row: number, signal: AbortSignal): Promise<Sample> {
    return this.json(`samples/${row}`, {}, signal);
  }

  heatmap(row: number, of: string, signal: AbortSignal): Promise<Heatmap> {
    return this.json(`samples/${row}/heatmap`, { of }, signal);
  }

  visuals(row: number, signal: AbortSignal): Promise<Panel> {
    return this.json(`samples/${row}/visuals`, {}, signal);
  }

  outlines(row: number, signal: AbortSignal): Promise<Outline[]> {
    return this.json(`samples/${row}/outlines`, {}, signal);
  }

  async find(text: string): Promise<number> {
    return (await this.json<{ row: number }>("find", { text })).row;
  }

  thumbnail(row: number): string {
    return address(`samples/${row}/thumbnail`, { key: this.key });
  }

  /** Tells what the server computes until all of it is ready; gives a function that stops listening. */
  progress(tell: (progress: Progress) => void): () => void {
    const events = new EventSource(address("events", { key: this.key }));
    events.addEventListener("progress", (event) => tell(JSON.parse(event.data) as Progress));
    // The server ends the stream when nothing is left to tell; a browser would open it again.
    events.addEventListener("error", () => events.close());
    return () => events.close();
  }

  private async json<T>(path: string, parameters: Parameters, signal?: AbortSignal): Promise<T> {
    const response = await request(address(path, { ...parameters, key: this.key }), signal ? { signal } : {});
    return (await read(response.json())) as T;
  }

  private post(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    return this.send("POST", path, {}, body, signal);
  }

  private send(
    method: string,
    path: string,
    parameters: Parameters,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<Response> {
    const headers = { "Content-Type": "application/json" };
    const options = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    return request(address(path, { ...parameters, key: this.key }), signal ? { ...options, signal } : options);
  }

  private async bytes(path: string, parameters: Parameters): Promise<ArrayBuffer> {
    const response = await request(address(path, { ...parameters, key: this.key }));
    return read(response.arrayBuffer());
  }
}

function whose(of: Points): Parameters {
  return of === "objects" ? { of } : {};
}

export async function getRun(): Promise<Run> {
  return (await read((await request(address("run", {}))).json())) as Run;
}

function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams(Object.entries(parameters).map(([name, value]) => [name, String(value)]));
  return `api/v1/${path}${query.size ? `?${query}` : ""}`;
}

async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(UNREACHABLE, null);
  }
  if (response.ok) return response;
  throw new ApiError(await problemOf(response), response.status);
}

async function problemOf(response: Response): Promise<string> {
  const fallback = `The server answered ${`${response.status} ${response.statusText}`.trim()}.`;
  try {
    const body: unknown = await response.json();
    if (body && typeof body === "object" && "detail" in body && typeof body.detail === "string") return body.detail;
    return fallback;
  } catch {
    return fallback;
  }
}

async function read<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(UNREACHABLE, null);
  }
}

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

  forget(key: string): void {
    this.answers.delete(key);
  }
}
