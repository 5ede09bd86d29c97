import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Chart, ChartAsked } from "../../src/api/charts";
import { ApiError } from "../../src/api/client";
import { Charting, KeptCharts } from "../../src/state/charting";
import { makeChart } from "../charts/charts";

const asked = (x: string): ChartAsked => ({ kind: "bar", x }) as ChartAsked;

interface Asked {
  body: ChartAsked;
  aborted: AbortSignal;
  answer: (chart: Chart) => void;
  refuse: (error: unknown) => void;
}

function server(): {
  client: { ask: <T>(path: string, body: unknown, signal?: AbortSignal) => Promise<T> };
  asks: Asked[];
} {
  const asks: Asked[] = [];
  const ask = (_: string, body: unknown, aborted?: AbortSignal): Promise<never> =>
    new Promise((answer, refuse) => asks.push({ body, aborted, answer, refuse } as unknown as Asked));
  return { client: { ask }, asks };
}

const settled = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a chart that is asked for", () => {
  it("stays until the next is here, and what was asked before is given up", async () => {
    const { client, asks } = server();
    const charting = new Charting(client, new KeptCharts());
    const [first, second] = [makeChart("bar", [], { told: "first" }), makeChart("bar", [], { told: "second" })];
    charting.ask(asked("a"));
    asks[0]!.answer(first);
    await settled();
    expect(charting.chart.value).toBe(first);

    charting.ask(asked("b"));
    charting.ask(asked("c"));
    expect(asks.map(({ aborted }) => aborted.aborted)).toEqual([false, true, false]);
    expect([charting.chart.value, charting.isWaiting.value]).toEqual([first, true]);
    asks[1]!.answer(makeChart("bar", [], { told: "too late" }));
    asks[2]!.answer(second);
    await settled();
    expect([charting.chart.value?.told, charting.isWaiting.value]).toEqual(["second", false]);
  });

  it("is asked for once when it changes quickly, and not again when it was here before", async () => {
    const { client, asks } = server();
    const kept = new KeptCharts();
    const charting = new Charting(client, kept);
    for (const x of ["a", "b", "c"]) charting.ask(asked(x), 120);
    expect(asks.length).toBe(0);
    await vi.advanceTimersByTimeAsync(130);
    expect(asks.map(({ body }) => body.x)).toEqual(["c"]);
    asks[0]!.answer(makeChart("bar", []));
    await settled();
    charting.ask(asked("c"));
    new Charting(client, kept).ask(asked("c"));
    expect(asks.length).toBe(1);
    kept.forget();
    new Charting(client, kept).ask(asked("c"));
    expect(asks.length).toBe(2);
  });

  it("tells why there is none, and tries again", async () => {
    const { client, asks } = server();
    const charting = new Charting(client, new KeptCharts());
    charting.ask(asked("a"));
    asks[0]!.refuse(new ApiError("There is no such column.", 404));
    await settled();
    expect([charting.sentence.value, charting.chart.value]).toEqual(["There is no such column.", null]);
    charting.retry();
    asks[1]!.answer(makeChart("bar", []));
    await settled();
    expect([charting.sentence.value, charting.chart.value !== null]).toEqual([null, true]);
  });

  it("is asked for again where it was given up", async () => {
    const { client, asks } = server();
    const charting = new Charting(client, new KeptCharts());
    charting.ask(asked("a"));
    charting.stop();
    charting.ask(asked("a"));
    expect(asks.map(({ aborted }) => aborted.aborted)).toEqual([true, false]);
  });
});
