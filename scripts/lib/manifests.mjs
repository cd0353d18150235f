// What npm, editors and search show of a package: held to be there, and to be the same everywhere.
import { existsSync, readFileSync } from "node:fs";
import { publishable } from "./packages.mjs";
import { inRoot, readJson } from "./root.mjs";

const KEYWORDS = ["ckptkit", "checkpoint"];
const FEWEST_KEYWORDS = 5;
/** No manifest asks for money, and none runs anything on a user's machine. */
const NEVER = ["funding"];
const NEVER_SCRIPTS = ["preinstall", "install", "postinstall", "prepare"];

/** What the root's manifest says for a package in `folder`. */
export function sharedFields(folder) {
  const { repository, bugs, license, author, engines } = readJson(inRoot("package.json"));
  const page = repository.url.replace(/^git\+/, "").replace(/\.git$/, "");
  return {
    homepage: `${page}/tree/main/${folder}#readme`,
    bugs,
    repository: { ...repository, directory: folder },
    license,
    author,
    engines,
  };
}

/** What is missing or differs, as lines. */
export function manifestProblems() {
  return publishable().flatMap(({ name, folder, manifest }) => {
    const problems = [];
    for (const [field, expected] of Object.entries(sharedFields(folder))) {
      if (JSON.stringify(manifest[field]) !== JSON.stringify(expected)) problems.push(`${field} is not ${JSON.stringify(expected)}`);
    }
    const { description = "", keywords = [], files = [], scripts = {}, type, sideEffects, publishConfig } = manifest;
    if (description.length < 20 || description.endsWith(".")) problems.push("description says what it does, without a full stop");
    if (keywords.length < FEWEST_KEYWORDS || KEYWORDS.some((word) => !keywords.includes(word))) {
      problems.push(`keywords are ${FEWEST_KEYWORDS} at least, ${KEYWORDS.join(" and ")} among them`);
    }
    if (!files.includes("dist")) problems.push("files names dist");
    if (type !== "module" || sideEffects !== false) problems.push("type is module, and sideEffects false");
    if (publishConfig?.access !== "public") problems.push("publishConfig.access is public");
    problems.push(...NEVER.filter((field) => field in manifest).map((field) => `${field} is left out`));
    problems.push(...NEVER_SCRIPTS.filter((script) => script in scripts).map((script) => `no script ${script} runs where it is installed`));
    problems.push(...exportProblems(manifest), ...readmeProblems(folder, name));
    return problems.map((problem) => `${folder}: ${problem}`);
  });
}

/** The two lists of exports, for work in the repository and for users, name the same paths. */
function exportProblems({ exports = {}, publishConfig }) {
  const published = publishConfig?.exports ?? {};
  const only = (some, others) => Object.keys(some).filter((path) => !(path in others));
  return [
    ...only(exports, published).map((path) => `${path} is in exports, but not in publishConfig.exports`),
    ...only(published, exports).map((path) => `${path} is in publishConfig.exports, but not in exports`),
  ];
}

/** A README opens with what the package does, how it is installed, and a program. */
function readmeProblems(folder, name) {
  const file = inRoot(folder, "README.md");
  if (!existsSync(file)) return ["there is no README.md"];
  const text = readFileSync(file, "utf8");
  const problems = [];
  if (!text.startsWith(`# ${name}\n\n`)) problems.push(`README.md begins with "# ${name}"`);
  const install = text.search(/^(?:npm install|npx) /m);
  const program = text.search(/^```(?:ts|js|console)\b/m);
  if (install < 0 || program < install) problems.push("README.md says how to install it, and then shows a program");
  if (text.search(/^## /m) >= 0 && text.search(/^## /m) < install)
    problems.push("README.md says how to install it before its first section");
  return problems;
}
