import { watchDebounced } from "@vueuse/core";
import { computed, onActivated, onBeforeUnmount, onDeactivated, onMounted, reactive, ref, shallowRef } from "vue";
import { type RunningTask, startTask, useEngine } from "../../engine/client.js";
import { type EngineError, toEngineError } from "../../engine/errors.js";
import type { CheckedPipeline, PipelineDraft, PipelineTemplate, PlannedPipeline } from "../../engine/pipeline.js";
import type { SessionInfo } from "../../engine/sessions.js";
import { forgetHash, holdsSecret, keepDraft, keptDraft } from "./draft-store.js";

/** Checks follow typing closely, plans when it pauses: a plan opens files. */
const CHECK_AFTER_MS = 150;
const PLAN_AFTER_MS = 500;
const REMOTE = /(?:https?|s3a?|hf|runs|models|mlflow-artifacts):\//i;

/** The variable that stands for the open checkpoint in templates. */
const OPEN_VARIABLE = "CHECKPOINT";

/** A pipeline that is being written, with what is known of it at any time. */
export function useDraft(session: SessionInfo) {
  const text = ref("");
  const file = ref("pipeline.yaml");
  const variables = reactive<Record<string, string>>({});
  const templates = shallowRef<readonly PipelineTemplate[]>([]);
  const names = shallowRef<readonly string[]>([]);
  const checked = shallowRef<CheckedPipeline>();
  const checkedText = ref("");
  const plan = shallowRef<PlannedPipeline>();
  const planError = shallowRef<EngineError>();
  const planTask = shallowRef<RunningTask<PlannedPipeline>>();
  const loadError = shallowRef<EngineError>();
  const isKept = ref(true);
  let own = "";
  let isShown = true;

  const draft = computed((): PipelineDraft => ({ text: text.value, file: file.value, variables: { ...variables } }));
  const isRemote = computed(
    () => REMOTE.test(text.value.replace(/^\s*#.*$/gm, "")) || Object.values(variables).some((value) => REMOTE.test(value)),
  );

  const fillIn = (): void => {
    for (const { name } of checked.value?.variables ?? []) if (name === OPEN_VARIABLE) variables[name] ??= own;
  };

  const check = async (): Promise<void> => {
    const asked = draft.value;
    const answer = await useEngine().pipeline.check(asked).catch(fail);
    if (!answer || asked.text !== text.value) return;
    checkedText.value = asked.text;
    checked.value = answer;
    fillIn();
  };

  const makePlan = async (): Promise<void> => {
    planTask.value?.cancel();
    planError.value = undefined;
    const asked = draft.value;
    const mine = startTask((engine, id) => engine.pipeline.plan(id, asked));
    planTask.value = mine;
    try {
      const answer = await mine.result;
      if (planTask.value === mine) plan.value = answer;
    } catch (thrown) {
      const failure = toEngineError(thrown);
      if (planTask.value === mine && failure.code !== "ABORTED") planError.value = failure;
    } finally {
      if (planTask.value === mine) planTask.value = undefined;
    }
  };

  const fail = (thrown: unknown): undefined => {
    loadError.value = toEngineError(thrown);
  };

  const begin = async (): Promise<void> => {
    loadError.value = undefined;
    try {
      const { pipeline } = useEngine();
      [templates.value, names.value, own] = await Promise.all([pipeline.templates(), pipeline.names(), pipeline.nameOf(session.id)]);
      const kept = await keptDraft(session.origin);
      if (kept) use(kept.text, kept.file, kept.variables);
      else choose(session.layout === "lightning" ? "lightning-to-safetensors" : "inspect-and-audit");
    } catch (thrown) {
      fail(thrown);
    }
  };

  const use = (next: string, name: string, values: { readonly [name: string]: string }): void => {
    text.value = next;
    file.value = name;
    for (const key of Object.keys(variables)) delete variables[key];
    Object.assign(variables, values);
  };

  const choose = (id: string): void => {
    const template = templates.value.find((candidate) => candidate.id === id);
    if (!template) return;
    const isOpen = template.variables.some(({ name }) => name === OPEN_VARIABLE);
    use(template.text, `${template.id}.yaml`, isOpen ? { [OPEN_VARIABLE]: own } : {});
  };

  watchDebounced([text, variables], check, { debounce: CHECK_AFTER_MS, deep: true });
  watchDebounced(
    [checked, variables],
    () => {
      plan.value = undefined;
      planError.value = undefined;
      if (checked.value?.isReady && !isRemote.value) void makePlan();
    },
    { debounce: PLAN_AFTER_MS, deep: true },
  );
  const keep = async (): Promise<void> => {
    const { text: now, file: name, variables: values } = draft.value;
    if (now === "" || !isShown) return;
    const { [OPEN_VARIABLE]: given, ...others } = values;
    // The open checkpoint is told by the page's address itself.
    isKept.value = await keepDraft({ text: now, file: name, variables: given === own ? others : values }, session.origin);
  };
  watchDebounced(draft, keep, { debounce: PLAN_AFTER_MS });
  onMounted(begin);
  // While another view is shown, its state stands in the address.
  onActivated(() => {
    isShown = true;
    void keep();
  });
  const leave = (): void => {
    isShown = false;
    forgetHash();
  };
  onDeactivated(leave);
  onBeforeUnmount(() => {
    planTask.value?.cancel();
    leave();
  });

  return {
    text,
    file,
    variables,
    draft,
    templates,
    names,
    checked,
    checkedText,
    plan,
    planError,
    loadError,
    isRemote,
    isPlanning: computed(() => planTask.value !== undefined),
    /** Whether a secret keeps the draft out of the address and of this browser. */
    isSecret: computed(() => !isKept.value && holdsSecret(draft.value)),
    begin,
    choose,
    makePlan,
    refreshNames: async () => {
      names.value = await useEngine().pipeline.names();
    },
  };
}
