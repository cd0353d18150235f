import { type ByteSource, type Bytes, checkRange, type SignalOptions } from "@ckptkit/core";

/** A source whose bytes are made by `fill`, one read after another, and not read from a file as they are. */
export function madeSource(
  name: string,
  size: number,
  fill: (target: Bytes, start: number, options?: SignalOptions) => Promise<void>,
  close?: () => Promise<void>,
): ByteSource {
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = (target: Bytes, start: number, options?: SignalOptions): Promise<void> => {
    const run = turn.then(() => {
      options?.signal?.throwIfAborted();
      return fill(target, start, options);
    });
    turn = run.catch(() => undefined); // the next read waits for this one, and does not share its fate
    return run;
  };
  const source: ByteSource = {
    size,
    name,
    async read(start, end, options) {
      checkRange(source, start, end);
      const target = new Uint8Array(end - start);
      await inTurn(target, start, options);
      return target;
    },
    async readInto(target, start, options) {
      checkRange(source, start, start + target.length);
      await inTurn(target, start, options);
    },
    locate: async () => undefined,
    ...(close ? { close } : {}),
  };
  return source;
}
