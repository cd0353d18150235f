import type { ByteSource, Checkpoint } from "@ckptkit/core";
import type { AuditLog } from "./audit-log.js";

/** Files of a model that hold a template: as JSON, or as they are. */
const TEMPLATE_FILE = /(?:^|\/)(?:tokenizer_config\.json|chat_template\.(?:json|jinja)|[^/]+\.(?:jinja2?|j2))$/i;
/** Keys under which GGUF has templates. */
const TEMPLATE_KEY = /^tokenizer\.chat_template(?:\.|$)/;
/** What Jinja carries out: all else is text. */
const CODE = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;
/** Ways from a value of Python to its inside, spelled out, put together at run time, or as escapes; and the modules that they lead to. */
const REACHES =
  /__(?:class|globals|subclasses|mro|bases?|import|builtins|init|getattribute|reduce(?:_ex)?|code|dict|self|call|loader|spec)__|\|\s*attr\b|\|\s*map\s*\(\s*attribute\s*=\s*["']_|\\x5f|\\u005f|_TemplateReference__|\b(?:popen|subprocess|importlib|os\.system|get_flashed_messages|url_for)\b/;
/** The longest template that is looked at. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Whether a template reaches for more than the values that it is given. */
export const reachesOut = (template: string): boolean => (template.match(CODE) ?? []).some((code) => REACHES.test(code));

/** Looks at the chat templates in the metadata of a model. @see https://nvd.nist.gov/vuln/detail/CVE-2024-34359 */
export function auditTemplates(metadata: Checkpoint["metadata"], where: string, log: AuditLog): void {
  for (const [key, value] of Object.entries(metadata)) {
    if (TEMPLATE_KEY.test(key) && typeof value === "string" && reachesOut(value)) noteTemplate(`${where}: ${key}`, log);
  }
}

/** Looks at a file that holds a template, by its name. */
export async function auditTemplateFile(source: ByteSource, where: string, log: AuditLog): Promise<void> {
  if (!TEMPLATE_FILE.test(where)) return;
  if (source.size > MOST_BYTES) {
    log.note("limit-reached", `The file has ${source.size} bytes: no template is that long.`, where);
    return;
  }
  const text = new TextDecoder().decode((await source.read(0, source.size, log.options)).slice());
  // In JSON, quotes and backslashes are escaped.
  if (reachesOut(text) || reachesOut(text.replace(/\\(["\\])/g, "$1"))) noteTemplate(where, log);
}

const noteTemplate = (where: string, log: AuditLog): void =>
  log.note("template-code", "The chat template reaches into the inside of Python.", where);
