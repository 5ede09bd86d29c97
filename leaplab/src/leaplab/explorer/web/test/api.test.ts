import { afterEach, describe, expect, it, vi } from "vitest";
import {
  ApiError,
  decodeColumn,
  checkIds,
  decodeProjection,
  getColumn,
  getProjection,
  getRun,
  Memo,
} from "../src/api";
import { column } from "./run";

const loss = column("loss.cross_entropy", "continuous");
const label = column("metadata.label", "categorical", ["cat", "dog"]);

afterEach(() => vi.unstubAllGlobals());

function serve(answer: () => Response | Promise<Response>): ReturnType<typeof vi.fn> {
  const fetch = vi.fn(async (_path: string, _options?: RequestInit) => answer());
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

describe("binary columns", () => {
  it("are read as little-endian float32 with NaN where absent", () => {
    const view = new DataView(new ArrayBuffer(12));
    [1.5, NaN, -2].forEach((value, index) => view.setFloat32(index * 4, value, true));
    const decoded = decodeColumn(view.buffer, loss, 3);
    expect(decoded.kind === "continuous" && [...decoded.values]).toEqual([1.5, NaN, -2]);
  });

  it("are read as little-endian int32 codes with -1 where absent", () => {
    const view = new DataView(new ArrayBuffer(12));
    [1, -1, 0].forEach((value, index) => view.setInt32(index * 4, value, true));
    const decoded = decodeColumn(view.buffer, label, 3);
    expect(decoded.kind === "categorical" && [...decoded.codes]).toEqual([1, -1, 0]);
  });

  it("of another length than the run are refused by name", () => {
    expect(() => decodeColumn(new ArrayBuffer(8), loss, 3)).toThrow(/loss\.cross_entropy.* 8 bytes where 12/);
    expect(() => decodeColumn(new ArrayBuffer(7), loss, 2)).toThrow(ApiError);
    expect(() => decodeProjection(new ArrayBuffer(12), 3)).toThrow(/projection.* 12 bytes where 24/);
  });
});

describe("ids", () => {
  it("are one a line, with or without a last line break", () => {
    expect(checkIds(["a", "b\nc", ""], 3)).toEqual(["a", "b\nc", ""]);
    expect(() => checkIds(["a", "b"], 3)).toThrow("2 sample ids for 3 samples");
  });
});

describe("requests", () => {
  it("escape names and parameters", async () => {
    const fetch = serve(() => new Response(new ArrayBuffer(8)));
    await getColumn(column("metadata.a/b?c", "continuous"), 2);
    expect(fetch.mock.calls[0]![0]).toBe("api/columns/metadata.a%2Fb%3Fc");
    await getProjection("model & more", "pca", 1);
    expect(fetch.mock.calls[1]![0]).toBe("api/projection?space=model+%26+more&method=pca");
  });

  it("carry the server's own sentence", async () => {
    serve(() => new Response(JSON.stringify({ error: "The run was deleted." }), { status: 404 }));
    await expect(getRun()).rejects.toMatchObject({ message: "The run was deleted.", status: 404 });
  });

  it("name the status where the server has no sentence", async () => {
    serve(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    await expect(getRun()).rejects.toMatchObject({ message: "The server answered 502 Bad Gateway.", status: 502 });
  });

  it("say what to do where the server is gone", async () => {
    serve(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(getRun()).rejects.toThrow("leaplab explore");
  });
});

describe("Memo", () => {
  it("asks once, and again after a failure", async () => {
    const memo = new Memo<number>();
    const ask = vi.fn<() => Promise<number>>().mockRejectedValueOnce(new Error("down")).mockResolvedValue(7);
    await expect(memo.get("a", ask)).rejects.toThrow("down");
    expect(await memo.get("a", ask)).toBe(7);
    expect(await memo.get("a", ask)).toBe(7);
    expect(ask).toHaveBeenCalledTimes(2);
  });
});
