import type { Checkpoint, Storage } from "@ckptkit/core";

/** Why the bytes of a tensor are lost. */
export interface Loss {
  /** `cut-off`: the file ends before them; `damaged`: they are not what was written; `missing`: nothing of them was found. */
  readonly kind: "cut-off" | "damaged" | "missing";
  /** One sentence. */
  readonly message: string;
}

/** A damaged file, as far as it can be read. */
export interface Salvaged {
  /** All tensors that the file's description names. The storages of those that are lost cannot be read. Closing it closes the source. */
  readonly checkpoint: Checkpoint;
  /** The storages whose bytes are lost. */
  readonly lost: ReadonlyMap<Storage, Loss>;
}
