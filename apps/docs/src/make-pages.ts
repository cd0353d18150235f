import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { apiIndex, writeApiPages } from "./api-pages.js";
import { changelogPage } from "./changelog-page.js";
import { cliPage } from "./cli-page.js";
import { DOCS } from "./pages.js";
import { templatesPage } from "./templates-page.js";

/** Makes the pages that come from the code anew, in `pages/reference`, which is not in the repository. */
export async function makePages(): Promise<void> {
  const folder = `${DOCS}reference/`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const write = (name: string, page: string): void => writeFileSync(folder + name, `${page.trimEnd()}\n`);
  write("cli.md", cliPage());
  write("templates.md", templatesPage());
  write("changelog.md", changelogPage());
  await writeApiPages(`${folder}api`);
  write("api/index.md", apiIndex());
}
