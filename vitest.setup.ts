import { afterEach, vi } from "vitest";

// A library does not talk to the console: a test in which it does, fails.
const METHODS = ["log", "info", "warn", "error", "debug"] as const;
const spies = METHODS.map((method) => vi.spyOn(console, method));
afterEach(() => {
  for (const [index, spy] of spies.entries()) {
    const calls = spy.mock.calls.splice(0);
    if (calls.length > 0) throw new Error(`console.${METHODS[index]} was called: ${String(calls[0]?.[0])}`);
  }
});
