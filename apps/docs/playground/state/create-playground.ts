import { shallowRef } from "vue";
import { type RunningTask, startTask, useEngine } from "../engine/client.js";
import { toEngineError } from "../engine/errors.js";
import type { Candidate, OpenAnswer, OpenRequest } from "../engine/open.js";
import type { SessionInfo } from "../engine/sessions.js";
import { createPlace } from "./place.js";
import type { Opening, OpenWish, Playground } from "./playground.js";
import type { RecentItems } from "./recent.js";

/** Makes the state that all of the playground shares. */
export function createPlayground(recent: RecentItems): Playground {
  const session: Playground["session"] = shallowRef();
  const opening: Playground["opening"] = shallowRef();
  const error: Playground["error"] = shallowRef();
  const choice: Playground["choice"] = shallowRef();
  const place = createPlace();
  let task: RunningTask<OpenAnswer> | undefined;
  let last: OpenWish | undefined;

  const close = async (): Promise<void> => {
    const old = session.value;
    session.value = undefined;
    place.opened(undefined);
    if (old) await useEngine().files.close(old.id);
  };

  const show = async (info: SessionInfo, wish: OpenWish): Promise<void> => {
    const old = session.value;
    if (old) place.leave();
    session.value = info;
    place.opened(info.origin);
    if (old) void useEngine().files.close(old.id);
    if (info.origin.kind === "sample" || (info.origin.kind === "address" && info.origin.hasSecret)) return;
    const address = info.origin.kind === "address" ? info.origin.address : undefined;
    // A file that came without a handle cannot be opened again by the page.
    if (address === undefined && !wish.handle) return;
    await recent.add({ label: info.name, about: `${info.format} · ${info.tensorCount} tensors`, address, handle: wish.handle });
  };

  const open = async (wish: OpenWish): Promise<void> => {
    task?.cancel();
    last = wish;
    error.value = undefined;
    choice.value = undefined;
    const progress = (done: number, total: number): Opening => ({ label: wish.label, done, total });
    opening.value = progress(0, 0);
    const mine = startTask(
      (engine, id) => engine.files.open(id, wish.request),
      ({ done, total }) => {
        if (task === mine) opening.value = progress(done, total);
      },
    );
    task = mine;
    try {
      const answer = await mine.result;
      if (task !== mine) return;
      if (answer.kind === "choose") choice.value = { from: answer.from, candidates: answer.candidates, wish };
      else await show(answer.session, wish);
    } catch (thrown) {
      const failure = toEngineError(thrown);
      if (task === mine && failure.code !== "ABORTED") error.value = failure;
    } finally {
      if (task === mine) {
        task = undefined;
        opening.value = undefined;
      }
    }
  };

  return {
    session,
    opening,
    error,
    choice,
    place,
    open,
    retry: async () => {
      if (last) await open(last);
    },
    choose: async (candidate: Candidate) => {
      const wish = choice.value?.wish;
      if (wish) await open({ ...wish, label: candidate.name, request: chosen(wish.request, candidate) });
    },
    cancelOpening: () => {
      task?.cancel();
      choice.value = undefined;
    },
    close,
  };
}

const chosen = (request: OpenRequest, { id }: Candidate): OpenRequest =>
  request.kind === "files" ? { ...request, choice: id } : request.kind === "address" ? { ...request, address: id } : request;
