import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, Client, getRun, Memo } from "../../src/api/client";

afterEach(() => vi.unstubAllGlobals());

function serve(answer: () => Response | Promise<Response>): ReturnType<typeof vi.fn> {
  const fetch = vi.fn(async (_path: string, _options?: RequestInit) => answer());
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const client = new Client("k/1");

describe("requests", () => {
  it("escape names and parameters, and say of which run they are", async () => {
    const fetch = serve(() => new Response(new ArrayBuffer(8)));
    await client.codes("metadata.a/b?c");
    expect(fetch.mock.calls[0]![0]).toBe("api/v1/columns/codes?name=metadata.a%2Fb%3Fc&key=k%2F1");
    await client.map("model & more", "pca");
    expect(fetch.mock.calls[1]![0]).toBe("api/v1/map?space=model+%26+more&method=pca&key=k%2F1");
    expect(client.thumbnail(7)).toBe("api/v1/samples/7/thumbnail?key=k%2F1");
  });

  it("carry the server's own sentence", async () => {
    serve(() => new Response(JSON.stringify({ detail: "The run was deleted." }), { status: 404 }));
    await expect(getRun()).rejects.toMatchObject({ message: "The run was deleted.", status: 404 });
  });

  it("name the status where the server has no sentence", async () => {
    serve(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }));
    await expect(getRun()).rejects.toMatchObject({ message: "The server answered 502 Bad Gateway.", status: 502 });
  });

  it("say what to do where the server is gone", async () => {
    serve(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(getRun()).rejects.toThrow("leaplab explore");
    await expect(getRun()).rejects.toBeInstanceOf(ApiError);
  });

  it("that were given up are no failure of the server", async () => {
    const giving = new AbortController();
    serve(() => {
      giving.abort();
      return Promise.reject(new DOMException("aborted", "AbortError"));
    });
    await expect(client.sample(3, giving.signal)).rejects.toMatchObject({ name: "AbortError" });
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
