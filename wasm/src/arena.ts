/** Alignment of every allocation in bytes: a cache line, and four vectors. */
const ALIGNMENT = 64;

/** A piece of free memory: [start, end). */
interface Gap {
  start: number;
  end: number;
}

/** First-fit allocation in [start, end) of some memory. Addresses and sizes are multiples of 64 bytes. */
export class Arena {
  /** Free memory by address; neighbours never touch. */
  readonly #gaps: Gap[];
  readonly #sizes = new Map<number, number>();

  constructor(start: number, end: number) {
    this.#gaps = [{ start: Math.ceil(start / ALIGNMENT) * ALIGNMENT, end: Math.floor(end / ALIGNMENT) * ALIGNMENT }];
  }

  /** The address of `byteLength` bytes, or undefined when there is no gap that large. */
  allocate(byteLength: number): number | undefined {
    // Even nothing has an address of its own.
    const size = Math.max(1, Math.ceil(byteLength / ALIGNMENT)) * ALIGNMENT;
    const index = this.#gaps.findIndex(({ start, end }) => end - start >= size);
    const gap = this.#gaps[index];
    if (!gap) return undefined;
    const address = gap.start;
    gap.start += size;
    if (gap.start === gap.end) this.#gaps.splice(index, 1);
    this.#sizes.set(address, size);
    return address;
  }

  /** Gives back what `allocate` gave; an address that is not allocated is left alone. */
  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    const end = address + size;
    const index = this.#gaps.findIndex(({ start }) => start > address);
    const at = index < 0 ? this.#gaps.length : index;
    const before = this.#gaps[at - 1];
    const after = this.#gaps[at];
    if (before?.end === address && after?.start === end) {
      before.end = after.end;
      this.#gaps.splice(at, 1);
    } else if (before?.end === address) before.end = end;
    else if (after?.start === end) after.start = address;
    else this.#gaps.splice(at, 0, { start: address, end });
  }
}
