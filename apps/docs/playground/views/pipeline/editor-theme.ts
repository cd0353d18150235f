import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { Decoration, EditorView, MatchDecorator, ViewPlugin } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--pg-accent)" },
  { tag: tags.string, color: "var(--pg-series-3)" },
  { tag: [tags.lineComment, tags.comment], color: "var(--pg-2)" },
  { tag: [tags.labelName, tags.keyword], color: "var(--pg-series-5)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--pg-2)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--pg-1)", backgroundColor: "var(--pg-bg)", fontSize: "var(--pg-text-m)" },
  "&.cm-focused": { outline: "2px solid var(--pg-accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--pg-mono)", lineHeight: "1.6", minHeight: "260px" },
  ".cm-content": { caretColor: "var(--pg-1)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--pg-1)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--pg-accent) 24%, transparent)",
  },
  ".cm-gutters": { color: "var(--pg-2)", backgroundColor: "var(--pg-sunken)", border: "0", borderRight: "1px solid var(--pg-line)" },
  ".cm-activeLine": { backgroundColor: "var(--pg-hover)" },
  ".cm-activeLineGutter": { color: "var(--pg-1)", backgroundColor: "var(--pg-hover)" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--pg-active)", color: "inherit" },
  ".cm-variable": { color: "var(--pg-series-7)", fontWeight: "600" },
  ".cm-tooltip": {
    zIndex: "30",
    maxWidth: "min(460px, 92vw)",
    color: "var(--pg-1)",
    backgroundColor: "var(--pg-raised)",
    border: "1px solid var(--pg-line)",
    borderRadius: "var(--pg-radius)",
    boxShadow: "var(--vp-shadow-3)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete": { overflow: "visible" },
  ".cm-tooltip-autocomplete > ul": { fontFamily: "var(--pg-mono)", fontSize: "var(--pg-text-m)", maxHeight: "15em" },
  ".cm-tooltip-autocomplete > ul > li": { display: "flex", gap: "16px", alignItems: "baseline", padding: "3px 10px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { color: "var(--pg-1) !important", backgroundColor: "var(--pg-active) !important" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700", color: "var(--pg-accent)" },
  ".cm-completionDetail": { marginLeft: "auto", color: "var(--pg-2)", fontStyle: "normal", fontSize: "var(--pg-text-s)" },
  ".cm-completionInfo": { padding: "8px 12px" },
  ".cm-word-help": { padding: "8px 12px", fontSize: "var(--pg-text-s)", fontFamily: "var(--pg-font)", lineHeight: "1.5" },
  ".cm-word-help p + p": { marginTop: "6px" },
  ".cm-word-help .head": { fontFamily: "var(--pg-mono)", fontWeight: "600" },
  ".cm-word-help .type": { marginLeft: "8px", color: "var(--pg-2)", fontWeight: "400" },
  ".cm-diagnostic": { padding: "8px 12px", fontFamily: "var(--pg-font)", fontSize: "var(--pg-text-s)", lineHeight: "1.5" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--pg-danger)" },
  ".cm-diagnostic-warning": { borderLeft: "3px solid var(--pg-warning)" },
  ".cm-diagnosticAction": {
    padding: "2px 8px",
    color: "var(--pg-1)",
    backgroundColor: "var(--vp-c-default-soft)",
    borderRadius: "4px",
    cursor: "pointer",
  },
  ".cm-lintRange-error": { backgroundImage: "none", borderBottom: "2px solid var(--pg-danger)", backgroundColor: "var(--pg-danger-soft)" },
  ".cm-lintRange-warning": { backgroundImage: "none", borderBottom: "2px dotted var(--pg-warning)" },
  "@media (pointer: coarse)": {
    ".cm-scroller": { fontSize: "16px" },
    ".cm-tooltip-autocomplete > ul > li": { padding: "9px 10px !important" },
  },
});

/** Variables stand out: they are what a person fills in. */
const variables = new MatchDecorator({ regexp: /\$\{[^}\n]*\}/g, decoration: Decoration.mark({ class: "cm-variable" }) });
const variableMarks = ViewPlugin.define(
  (view) => ({
    decorations: variables.createDeco(view),
    update(update) {
      this.decorations = variables.updateDeco(update, this.decorations);
    },
  }),
  { decorations: (plugin) => plugin.decorations },
);

/** How the editor looks: by the page's own colours, which follow its theme. */
export const editorLook: Extension = [theme, syntaxHighlighting(colours), variableMarks];
