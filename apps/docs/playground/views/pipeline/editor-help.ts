import {
  type Completion,
  type CompletionContext,
  type CompletionResult,
  pickedCompletion,
  startCompletion,
} from "@codemirror/autocomplete";
import type { Diagnostic } from "@codemirror/lint";
import type { EditorView, Rect, Tooltip } from "@codemirror/view";
import type { CompletionList, PipelineCompletion, PipelineProblem, WordDescription } from "../../engine/pipeline.js";

/** What of the text makes it worth asking for completions without being told to. */
const INVITES = /[\w$./-]$|(?:^|\s)-\s$|:\s$|\$\{$|[{[,]\s*$|^\s*$/;
const WORD = /^[\w$./@-]*$/;

/** Completions from the engine. */
export function completionSource(ask: (text: string, offset: number) => Promise<CompletionList | undefined>) {
  return async ({ state, pos, explicit, aborted }: CompletionContext): Promise<CompletionResult | null> => {
    const line = state.doc.lineAt(pos);
    if (!explicit && !INVITES.test(line.text.slice(0, pos - line.from))) return null;
    const list = await ask(state.doc.toString(), pos);
    if (!list || aborted) return null;
    // Offers are filtered by what stands before the cursor; the rest of a word, with the slip in it, is replaced too.
    const rest = list.to - pos;
    return { from: list.from, options: list.items.map((item) => toCompletion(item, rest)), validFor: WORD };
  };
}

function toCompletion(item: PipelineCompletion, rest: number): Completion {
  return {
    label: item.label,
    detail: item.detail,
    boost: item.rank * 10,
    ...(item.info !== "" && { info: () => helpBox(undefined, "", item.info, []) }),
    apply: (view: EditorView, completion: Completion, from: number, to: number) => {
      view.dispatch({
        changes: { from, to: Math.min(to + rest, view.state.doc.length), insert: item.insert },
        selection: { anchor: from + item.caret },
        annotations: pickedCompletion.of(completion),
        userEvent: "input.complete",
        scrollIntoView: true,
      });
      if (item.goesOn) startCompletion(view);
    },
  };
}

/** Room that a sentence needs beside the list. */
const INFO_WIDTH = 240;

/** Where the explanation of a completion stands: beside the list, or where there is no room, under or over it, but never on it. */
export function besideList(_: EditorView, list: Rect, option: Rect, info: Rect, space: Rect): { style: string; class: string } {
  const right = space.right - list.right;
  if (right >= INFO_WIDTH) {
    const top = Math.max(0, Math.min(option.top, space.bottom - (info.bottom - info.top)) - list.top);
    return { style: `top: ${top}px; left: 100%; max-width: ${Math.min(400, right)}px`, class: "" };
  }
  const height = list.bottom - list.top;
  const isUnder = space.bottom - list.bottom >= info.bottom - info.top;
  const vertical = isUnder ? `top: ${height}px` : `bottom: ${height}px`;
  return { style: `${vertical}; left: 0; width: ${Math.min(400, space.right - list.left)}px`, class: "" };
}

/** Documentation of the word under the pointer. */
export function wordHelp(ask: (text: string, offset: number) => Promise<WordDescription | undefined>) {
  return async (view: EditorView, pos: number): Promise<Tooltip | null> => {
    const word = await ask(view.state.doc.toString(), pos);
    if (!word) return null;
    return { pos: word.from, end: word.to, above: true, create: () => ({ dom: helpBox(word.title, word.type, word.text, word.values) }) };
  };
}

/** Problems as the editor shows them; those of an older text are cut to what is there. */
export function toDiagnostics(problems: readonly PipelineProblem[], length: number): Diagnostic[] {
  return problems.map(({ from, to, severity, message, meant }) => ({
    from: Math.min(from, length),
    to: Math.min(to, length),
    severity,
    message,
    ...(meant !== undefined && {
      actions: [
        {
          name: `Change to ${meant}`,
          apply: (view: EditorView, start: number, end: number) => view.dispatch({ changes: { from: start, to: end, insert: meant } }),
        },
      ],
    }),
  }));
}

/** Built by hand, since CodeMirror wants elements: text goes in as text. */
function helpBox(title: string | undefined, type: string, text: string, values: readonly string[]): HTMLElement {
  const box = document.createElement("div");
  box.className = "cm-word-help";
  const add = (content: string, className = ""): HTMLElement => {
    const paragraph = document.createElement("p");
    paragraph.className = className;
    paragraph.textContent = content;
    box.append(paragraph);
    return paragraph;
  };
  if (title !== undefined) {
    const kind = document.createElement("span");
    kind.className = "type";
    kind.textContent = type;
    add(title, "head").append(kind);
  }
  for (const paragraph of text.split("\n\n")) if (paragraph !== "") add(paragraph);
  if (values.length > 0) add(`${type === "stage" ? "Options" : "One of"}: ${values.join(", ")}`, "pg-dim");
  return box;
}
