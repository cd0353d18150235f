import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import type { CompletionList, PipelineProblem, WordDescription } from "../../engine/pipeline.js";
import { besideList, completionSource, toDiagnostics, wordHelp } from "./editor-help.js";
import { editorLook } from "./editor-theme.js";

/** What the editor asks, and what it tells. */
export interface EditorHost {
  /** Id of the text that describes how to leave the editor with the keyboard. */
  readonly hintId: string;
  complete(text: string, offset: number): Promise<CompletionList | undefined>;
  describe(text: string, offset: number): Promise<WordDescription | undefined>;
  changed(text: string): void;
  run(): void;
}

/** The editor, as its component uses it. */
export interface PipelineEditor {
  setText(text: string): void;
  setProblems(problems: readonly PipelineProblem[]): void;
  /** Moves the cursor, and the focus with it. */
  goTo(offset: number): void;
  /** To be called when it is shown again after it was hidden. */
  measure(): void;
  destroy(): void;
}

/** Makes a YAML editor that completes and explains by the engine's catalog. */
export function createEditor(parent: HTMLElement, text: string, host: EditorHost): PipelineEditor {
  const runs = (): boolean => {
    host.run();
    return true;
  };
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        lintGutter(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        bracketMatching(),
        closeBrackets(),
        yaml(),
        editorLook,
        autocompletion({ override: [completionSource(host.complete)], icons: false, positionInfo: besideList }),
        hoverTooltip(wordHelp(host.describe), { hoverTime: 350 }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": "Pipeline as YAML", "aria-describedby": host.hintId, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) host.changed(update.state.doc.toString());
        }),
        keymap.of([
          { key: "Mod-Enter", run: runs },
          // After Escape, CodeMirror lets Tab move the focus: nobody is caught in here.
          { key: "Tab", run: acceptCompletion },
          { key: "Tab", run: indentMore, shift: indentLess },
          ...closeBracketsKeymap,
          ...completionKeymap,
          ...lintKeymap,
          ...historyKeymap,
          ...defaultKeymap,
        ]),
      ],
    }),
  });
  return {
    setText(next) {
      if (next === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next }, selection: { anchor: 0 } });
    },
    setProblems(problems) {
      view.dispatch(setDiagnostics(view.state, toDiagnostics(problems, view.state.doc.length)));
    },
    goTo(offset) {
      const anchor = Math.min(offset, view.state.doc.length);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
      view.focus();
    },
    measure: () => view.requestMeasure(),
    destroy: () => view.destroy(),
  };
}
