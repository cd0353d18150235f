import { type InjectionKey, inject, type ShallowRef } from "vue";
import type { EngineError } from "../engine/errors.js";
import type { Candidate, OpenRequest } from "../engine/open.js";
import type { SessionInfo } from "../engine/sessions.js";
import type { Place } from "./place.js";

/** What is being opened, and how far it is. */
export interface Opening {
  readonly label: string;
  readonly done: number;
  readonly total: number;
}

/** Something to open, and what the list of recent items needs to open it again. */
export interface OpenWish {
  readonly request: OpenRequest;
  readonly label: string;
  readonly handle?: FileSystemFileHandle | FileSystemDirectoryHandle | undefined;
}

/** What every part of the playground shares. */
export interface Playground {
  /** The open checkpoint that is shown. */
  readonly session: ShallowRef<SessionInfo | undefined>;
  readonly opening: ShallowRef<Opening | undefined>;
  readonly error: ShallowRef<EngineError | undefined>;
  /** Checkpoints to choose from, after a folder or a repository was opened. */
  readonly choice: ShallowRef<{ from: string; candidates: readonly Candidate[]; wish: OpenWish } | undefined>;
  /** What of the page can be shared: view, tensor, filter. */
  readonly place: Place;
  open(wish: OpenWish): Promise<void>;
  /** Opens what was to be opened last once more. */
  retry(): Promise<void>;
  /** Opens one of `choice`. */
  choose(candidate: Candidate): Promise<void>;
  cancelOpening(): void;
  close(): Promise<void>;
}

/** Where {@link Playground} is provided. */
export const PLAYGROUND: InjectionKey<Playground> = Symbol("playground");

/** The playground that a component stands in. */
export function usePlayground(): Playground {
  const playground = inject(PLAYGROUND);
  if (!playground) throw new Error("This component stands outside of the playground.");
  return playground;
}
